"""Monitoring as a use case: it reads the ledger and nothing else, and knows the units of what it shows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.core.detect.planning.made import TWO, watcher
from tests.service.banks import ASSISTANT, CREDIT, bank
from tests.service.mended import FAIR, UNFAIR, decided
from tocsin.detect.overview import Overview, Scale
from tocsin.detect.streams.sequence import ContrastSequence, Past
from tocsin.model.errors import UsageFault
from tocsin.service import detecting
from tocsin.service.monitoring import design_of, overview, scale_of


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Overview:
    """Forty hours of the bank, unfair in the last ten."""
    with bank(tmp_path_factory.mktemp("seen")) as (desk, clock):
        decided(desk, clock.now - timedelta(hours=40), 30, FAIR)
        decided(desk, clock.now - timedelta(hours=10), 10, UNFAIR)
        detecting.detect(desk, [CREDIT])
        before = desk.ledger.read(detecting.stream(CREDIT))
        found = overview(desk, CREDIT)
        assert desk.ledger.read(detecting.stream(CREDIT)) == before, "nothing is recorded"
        assert overview(desk, CREDIT) == found, "the same ledger gives the same report"
        return found


def test_every_detector_of_the_system_is_there(seen: Overview) -> None:
    assert [sheet.detector for sheet in seen.sheets] == [
        "group_parity:sex",
        "group_parity:age_band",
        "equal_opportunity:sex",
        "predictive_equality:sex",
    ]
    assert (seen.system, seen.name) == (CREDIT, "Consumer credit scoring")
    assert "across all" in seen.false_alarms[0]


def test_the_alarm_and_its_stream(seen: Overview) -> None:
    parity = seen.sheets[0]
    assert (parity.state, parity.windows) == ("alarm", 39)
    assert parity.alarms[0].title.startswith("The rate of positive decisions differs by sex")
    rates = {rate.name: rate for rate in parity.rates}
    assert rates["female"].value == pytest.approx(0.30, abs=0.05)
    assert rates["male"].value == pytest.approx(0.60, abs=0.05)
    assert rates["female"].high < rates["male"].low
    evidence, rate = parity.charts
    assert len(evidence.places) == len(rate.places) == 39
    assert evidence.marks


def test_what_was_never_judged_says_so(seen: Overview) -> None:
    opportunity = seen.sheets[2]
    assert opportunity.alarms == ()
    assert opportunity.charts == () or opportunity.rates == ()


def test_files_and_what_became_of_them(seen: Overview) -> None:
    assert [source.rows for source in seen.sources] == [12_000, 4_000]
    assert all(source.reasons == {} and source.quarantined == 0 for source in seen.sources)


def test_text_detectors_have_their_sheet_too(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        found = overview(desk, ASSISTANT)
        assert found.sheets
        assert {sheet.state for sheet in found.sheets} == {"no window yet"}
        assert found.upto is None
        with pytest.raises(UsageFault, match="no system 'nobody'"):
            overview(desk, "nobody")


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("error_rate", {}, Scale(0.0, 1.0, "share", "error rate")),
        ("calibration", {}, Scale(-1.0, 1.0, "(label minus score)", "calibration error")),
        ("mean", {"column": "score", "floor": 5.0, "ceiling": 9.0, "unit_name": "ms"}, Scale(5.0, 9.0, "ms", "mean")),
        ("group_parity", TWO, Scale()),
        ("duplicates", {"columns": ["feature.x"]}, Scale(0.0, 1.0, "share", "share of repeated rows")),
    ],
)
def test_units(kind: str, given: dict[str, object], wanted: Scale) -> None:
    assert scale_of(watcher(kind, **given)) == wanted
    assert Scale(5.0, 9.0).of(0.5) == 7.0


def test_the_design_effect_is_that_of_the_windows_remembered() -> None:
    past = tuple(Past(n, n, design, ()) for n, design in enumerate((1.0, 2.0, 9.0)))
    assert design_of(ContrastSequence(history=past)) == 2.0
    assert design_of(ContrastSequence()) == 1.0
    assert design_of("another sequence") == 1.0
