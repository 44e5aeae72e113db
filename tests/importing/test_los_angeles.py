"""The spellings of Los Angeles' files, and the rules for dates that cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from fixline.cli.folder import DataFolder
from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.service.importing import MAPPINGS, HeaderUnfit, Record, Unfit
from fixline.store.store import Store
from tests.support.importing import ROOT, fixline_import

REAL = ROOT.parent / "shared" / "data" / "la" / "MyLA311_2017_subset.csv"
HEADER = [
    *("SRNumber", "CreatedDate", "UpdatedDate", "ActionTaken", "Owner", "RequestType", "Status", "RequestSource"),
    *("AssignTo", "ServiceDate", "ClosedDate", "Address", "ZipCode", "Latitude", "Longitude", "CD", "TBMPage"),
]
USUAL = {
    "SRNumber": "1-870704831",
    "CreatedDate": "12/30/2017 05:16:06 PM",
    "RequestType": "Graffiti Removal",
    "Status": "Closed",
    "RequestSource": "Call",
    "Owner": "OCB",
    "ServiceDate": "01/05/2018 12:00:00 AM",
    "ClosedDate": "01/03/2018 09:18:35 AM",
    "Address": "2111 W BELLEVUE AVE,  90026",
    "ZipCode": "90026",
    "Latitude": "34.0732",
    "Longitude": "-118.2668",
    "CD": "13",
    "TBMPage": "634",
}


def read(**changes: str) -> Record:
    mapping = MAPPINGS["la"]
    cells = USUAL | changes
    reader = mapping.reader(HEADER, ZoneInfo("America/Chicago"))
    return reader.record([cells.get(name, "") for name in HEADER])


def test_a_row() -> None:
    """Instants are Los Angeles' own, also where a city of another zone imports them."""
    found = read()
    assert (found.number, found.type) == ("1-870704831", "graffiti")
    assert found.opened_at == datetime(2017, 12, 31, 1, 16, 6, tzinfo=UTC)
    assert found.closed_at == datetime(2018, 1, 3, 17, 18, 35, tzinfo=UTC)
    assert found.promised_at == datetime(2018, 1, 6, 8, 0, tzinfo=UTC)
    assert (found.latitude, found.longitude, found.address) == (34.0732, -118.2668, "2111 W BELLEVUE AVE, 90026")
    assert found.facts == {
        "owner": "OCB",
        "request_source": "Call",
        "zip_code": "90026",
        "council_district": "13",
        "status": "Closed",
        "service_date": "01/05/2018 12:00:00 AM",
    }


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Closed", CloseOutcome.FIXED),
        ("Cancelled", CloseOutcome.CANCELLED),
        ("Referred Out", CloseOutcome.REFERRED),
        (" referred  out ", CloseOutcome.REFERRED),
        ("Open", None),
        ("Pending", None),
    ],
)
def test_statuses(status: str, outcome: CloseOutcome | None) -> None:
    assert read(Status=status).outcome is outcome


@pytest.mark.parametrize(
    ("written", "ours", "answers"),
    [
        ("Single Streetlight Issue", "street-light", {"problem": "one_out"}),
        ("Multiple Streetlight Issue", "street-light", {"problem": "several_out"}),
        ("Metal/Household Appliances", "metal-household-appliances", {}),
    ],
)
def test_types(written: str, ours: str, answers: dict[str, str]) -> None:
    found = read(RequestType=written)
    assert (found.type, found.answers) == (ours, answers)


def test_a_closing_day_without_a_time_is_repaired() -> None:
    """The source has kept only the day: it was closed before it was created by the letter."""
    found = read(ClosedDate="12/30/2017 12:00:00 AM")
    assert found.closed_at == found.opened_at
    assert "counted as closed at its creation" in found.facts["repaired"]


def test_a_planned_instant_is_that_instant() -> None:
    assert read(ServiceDate="01/02/2018 09:22:32 AM").promised_at == datetime(2018, 1, 2, 17, 22, 32, tzinfo=UTC)


def test_the_day_of_creation_is_promised_to_its_end() -> None:
    found = read(ServiceDate="12/30/2017 12:00:00 AM")
    assert found.promised_at == datetime(2017, 12, 31, 8, 0, tzinfo=UTC)
    assert "repaired" not in found.facts


@pytest.mark.parametrize("planned", ["12/29/2017 12:00:00 AM", "12/30/2017 05:16:05 PM"])
def test_a_plan_before_the_creation_promises_nothing(planned: str) -> None:
    found = read(ServiceDate=planned)
    assert found.promised_at is None
    assert "promises nothing" in found.facts["repaired"]
    assert found.facts["service_date"] == planned


def test_no_plan_is_no_promise() -> None:
    assert read(ServiceDate="").promised_at is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SRNumber": ""}, "no number"),
        ({"SRNumber": "9" * 101}, "more than 100"),
        ({"RequestType": ""}, "no type"),
        ({"CreatedDate": ""}, "no creation date"),
        ({"CreatedDate": "13/40/2017 01:00:00 AM"}, "cannot be read"),
        ({"Status": "Lost"}, "status 'Lost' is unknown"),
        ({"Status": ""}, "is unknown"),
        ({"ClosedDate": ""}, "no closing date"),
        ({"ClosedDate": "12/30/2017 05:16:05 PM"}, "before it was created"),
        ({"ClosedDate": "12/29/2017 12:00:00 AM"}, "before it was created"),
        ({"ServiceDate": "soon"}, "cannot be read"),
        ({"Latitude": "134"}, "out of range"),
        ({"Address": "x" * 301}, "more than 300"),
    ],
)
def test_what_is_unfit(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        read(**changes)


def test_a_file_without_the_columns_is_named() -> None:
    mapping = MAPPINGS["la"]
    with pytest.raises(HeaderUnfit, match="no column SRNumber, CreatedDate, Status"):
        mapping.reader(["RequestType", "Where"], ZoneInfo("UTC"))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not REAL.is_file(), reason="the cities' real files are not beside this checkout (../shared/data)")
def test_the_real_file(tmp_path: Path) -> None:
    """Each row counts once; an open one without a definition is rejected; a second import changes nothing."""
    told = fixline_import(REAL, tmp_path / "data", "la")
    assert (told["rows"], told["imported"], told["rejected"]) == (9_999, 9_998, 1)
    rejects = (tmp_path / "MyLA311_2017_subset.rejects.csv").read_text().splitlines()[1:]
    assert len(rejects) == 1
    assert "there is no definition for its type 'Feedback'" in rejects[0]
    again = fixline_import(REAL, tmp_path / "data", "la")
    assert (again["imported"], again["updated"], again["unchanged"], again["rejected"]) == (0, 0, 9_998, 1)
    store = Store(DataFolder(tmp_path / "data").database_url)
    counted = """SELECT outcome, count(*), sum(closed_at < opened_at), sum(promised_at < opened_at)
                 FROM request GROUP BY 1"""
    found = store.read(lambda s: [tuple(each) for each in s.execute(text(counted))])
    facts = store.read(lambda s: [json.loads(row[0]) for row in s.execute(text("SELECT source_facts FROM request"))])
    store.close()
    numbers = {outcome: number for outcome, number, _, _ in found}
    assert numbers == {"fixed": 9_739, "cancelled": 246, "referred": 9, None: 4}
    assert not any(closed or promised for outcome, _, closed, promised in found if outcome)
    assert sum(each.get("repaired", "").startswith("closed") for each in facts) == 12
