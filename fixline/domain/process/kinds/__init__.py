"""The kinds of steps of a definition, one module each: keys, ways out, limits, and what each does to a request.

Each field's description is the text that editors show.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fixline.domain.process.kinds.agency import AgencyStep as AgencyStep
from fixline.domain.process.kinds.call import CallStep as CallStep
from fixline.domain.process.kinds.choose import ChooseStep as ChooseStep
from fixline.domain.process.kinds.close import CloseStep as CloseStep
from fixline.domain.process.kinds.follow_on import FollowOnStep as FollowOnStep
from fixline.domain.process.kinds.human import HumanStep as HumanStep
from fixline.domain.process.kinds.notify import NotifyStep as NotifyStep
from fixline.domain.process.kinds.together import TogetherStep as TogetherStep
from fixline.domain.process.kinds.wait import WaitStep as WaitStep

AnyStep = (
    HumanStep | ChooseStep | WaitStep | TogetherStep | NotifyStep | AgencyStep | FollowOnStep | CallStep | CloseStep
)
Step = Annotated[AnyStep, Field(discriminator="kind")]
