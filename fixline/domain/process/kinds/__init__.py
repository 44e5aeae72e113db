"""The kinds of steps of a definition, one module each: keys, ways out, limits, and what each does to a request.

Each field's description is the text that editors show.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.choose import ChooseStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.follow_on import FollowOnStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.process.kinds.wait import WaitStep

AnyStep = (
    HumanStep | ChooseStep | WaitStep | TogetherStep | NotifyStep | AgencyStep | FollowOnStep | CallStep | CloseStep
)
Step = Annotated[AnyStep, Field(discriminator="kind")]
