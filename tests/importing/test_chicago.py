"""The spellings of Chicago's legacy files: columns, dates, statuses, types, places."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.service.importing import MAPPINGS, HeaderUnfit, Record, Unfit
from fixline.service.importing.cells import coordinates, local_instant
from tests.support.importing import HEADER, open_row, row

CHICAGO = ZoneInfo("America/Chicago")
LIGHTS = [
    "Type",
    "Service Request No",
    "Created Date",
    "Completed Date",
    "Location",
    "Outcome",
    "x_coord",
    "y_coord",
    "zip_code",
    "ward",
    "police_district",
    "community_area",
]
PORTAL = [
    "CREATION DATE",
    "STATUS",
    "COMPLETION DATE",
    "SERVICE REQUEST NUMBER",
    "TYPE OF SERVICE REQUEST",
    "CURRENT ACTIVITY",
    "MOST RECENT ACTION",
    "NUMBER OF POTHOLES FILLED ON BLOCK",
    "STREET ADDRESS",
    "ZIP",
    "X COORDINATE",
    "Y COORDINATE",
    "Ward",
    "Police District",
    "Community Area",
    "SSA",
    "LATITUDE",
    "LONGITUDE",
    "LOCATION",
]


def read(header: list[str], cells: list[str]) -> Record:
    return MAPPINGS["chicago"].reader(header, CHICAGO).record(cells)


def test_a_row_of_the_sanitation_file() -> None:
    found = read(HEADER, row("13-00601000"))
    assert found.number == "13-00601000"
    assert (found.type, found.source_type) == ("sanitation-code-violation", "Sanitation Code Violation")
    assert found.opened_at == datetime(2013, 5, 6, 5, tzinfo=UTC)
    assert found.closed_at == datetime(2013, 5, 9, 5, tzinfo=UTC)
    assert found.outcome is CloseOutcome.FIXED
    assert (found.latitude, found.longitude, found.address) == (41.8804, -87.6278, "100 S STATE ST")
    assert found.facts == {"nature": "Garbage in yard", "zip_code": "60603", "ward": "42"}
    assert found.labels == {"nature": "Garbage in yard"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Completed", CloseOutcome.FIXED),
        ("completed - dup", CloseOutcome.DUPLICATE),
        ("Open", None),
        (" Open  -  Dup ", None),
    ],
)
def test_statuses(status: str, outcome: CloseOutcome | None) -> None:
    assert read(HEADER, row("1", Status=status)).outcome is outcome


def test_a_row_of_the_street_light_files() -> None:
    cells = ["Alley Light Out", "12-00700160", "1-Apr-12", "19-Apr-12", "5931 N ROCKWELL ST ", "Relamped"]
    found = read(LIGHTS, [*cells, "1157924.797", "1939298.014", "60659", "40", "20", "2"])
    assert (found.type, found.outcome) == ("street-light", CloseOutcome.FIXED)
    assert found.answers == {"problem": "alley_out"}
    assert found.opened_at == datetime(2012, 4, 1, 5, tzinfo=UTC)
    assert found.address == "5931 N ROCKWELL ST"
    assert (found.latitude, found.longitude) == (None, None)
    assert found.facts["x_coordinate"] == "1157924.797"
    assert found.facts["outcome"] == "Relamped"


def test_a_row_of_the_portals_pothole_file() -> None:
    cells = ["03/09/2012", "Completed - Dup", "03/12/2012", "12-00404321", "Pothole in Street", "", "", "4"]
    place = ["2000 N CLARK ST", "60614", "1172", "1913", "43", "18", "7", "", "41.9", "-87.63", "(41.9, -87.63)"]
    found = read(PORTAL, [*cells, *place])
    assert (found.type, found.outcome) == ("pothole", CloseOutcome.DUPLICATE)
    assert found.opened_at == datetime(2012, 3, 9, 6, tzinfo=UTC)
    assert found.address == "2000 N CLARK ST"
    assert found.facts["number_of_potholes_filled_on_block"] == "4"


def test_a_type_of_its_own_becomes_a_slug() -> None:
    found = read(HEADER, row("1", Type_of_Service_Request="Tree Debris / Clean-Up"))
    assert found.type == "tree-debris-clean-up"


def test_a_file_without_the_columns_is_named() -> None:
    with pytest.raises(HeaderUnfit, match="no column Service Request Number, Creation Date"):
        read(["Type", "Status"], ["x", "Open"])


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (row(""), "no number"),
        (row("1", Creation_Date=""), "no creation date"),
        (row("1", Creation_Date="May 2013"), "cannot be read"),
        (row("1", Creation_Date="2013-02-30"), "cannot be read"),
        (row("1", Completion_Date="soon"), "cannot be read"),
        (row("1", Completion_Date=""), "no completion date"),
        (row("1", Completion_Date="2013-05-05"), "before it was created"),
        (row("1", Status="Pending"), "status 'Pending' is unknown"),
        (row("1", Status=""), "is unknown"),
        (row("1", Latitude="91"), "out of range"),
        (row("1", Longitude="-187.6"), "out of range"),
        (row("1", Longitude="nan"), "out of range"),
        (row("1", Longitude=""), "cannot be read"),
        (row("1", Type_of_Service_Request=""), "no type"),
        (row("1", Street_Address="x" * 301), "more than 300"),
    ],
)
def test_what_is_unfit(cells: list[str], reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        read(HEADER, cells)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2013-07-04", datetime(2013, 7, 4, 5, tzinfo=UTC)),
        ("2013-01-04", datetime(2013, 1, 4, 6, tzinfo=UTC)),
        ("2013-07-04T13:30:15.000", datetime(2013, 7, 4, 18, 30, 15, tzinfo=UTC)),
        ("07/04/2013", datetime(2013, 7, 4, 5, tzinfo=UTC)),
        ("7/4/2013 12:15:00 AM", datetime(2013, 7, 4, 5, 15, tzinfo=UTC)),
        ("07/04/2013 12:15:00 PM", datetime(2013, 7, 4, 17, 15, tzinfo=UTC)),
        ("4-Jul-13", datetime(2013, 7, 4, 5, tzinfo=UTC)),
        ("31-Dec-99", datetime(1999, 12, 31, 6, tzinfo=UTC)),
    ],
)
def test_dates_are_local(text: str, instant: datetime) -> None:
    assert local_instant(text, CHICAGO) == instant


@pytest.mark.parametrize(
    "text", ["", "2013", "13/13/2013", "31-Feb-12", "4-Xxx-13", "07/04/2013 13:00 PM", "1899-12-31", "9999-01-01"]
)
def test_dates_that_are_none(text: str) -> None:
    with pytest.raises(Unfit):
        local_instant(text, CHICAGO)


def test_no_coordinates_are_no_error() -> None:
    assert coordinates("", "") is None


def test_control_characters_do_not_get_through() -> None:
    found = read(HEADER, open_row("1", Street_Address="1 A\x00 ST\x1b"))
    assert found.address == "1 A ST"
