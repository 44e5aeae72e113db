"""Scenario files: stories of one request, in the words of its definition, with what is expected of them.

Owns everything from the file to the scenarios that `fixline.rehearsal` plays. Must not import anything of Fixline
but the catalog's own reading and the domain.
"""

from fixline.catalog.scenarios.actions import CallAnswer, FollowOnEnds
from fixline.catalog.scenarios.expectations import NOTHING, ClockWord
from fixline.catalog.scenarios.instants import zone_of
from fixline.catalog.scenarios.model import Action, Expected, Line, Notice, Scenario
from fixline.catalog.scenarios.reading import check_scenarios, read_scenarios, scenario_files

__all__ = [
    "NOTHING",
    "Action",
    "CallAnswer",
    "ClockWord",
    "Expected",
    "FollowOnEnds",
    "Line",
    "Notice",
    "Scenario",
    "check_scenarios",
    "read_scenarios",
    "scenario_files",
    "zone_of",
]
