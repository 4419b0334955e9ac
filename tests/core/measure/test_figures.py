"""Times and rates, computed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.core.incident.made import ACKNOWLEDGED, CAUSE, CLOSED, CONTAINED, action, at, incident, verified
from tocsin.measure.figures import Punctuality, figures, punctuality, times
from tocsin.model.law import Obligation, Reason, Status, Truth

HOUR = timedelta(hours=1)


def duty(latest: float | None, done: float | None = None, **changes: Any) -> Obligation:
    owed = Obligation(
        id="r.s",
        regime="r",
        stage="s",
        title="t",
        status=Status.BINDING,
        truth=Truth.YES,
        who="the provider",
        recipients=(),
        operational_due=None if latest is None else at(latest),
        legal_latest=None if latest is None else at(latest),
        timezone="UTC",
        label="72 hours",
        trace=(),
        reason=Reason("r", Truth.YES),
        citations=(),
        discharged_at=None if done is None else at(done),
    )
    return replace(owed, **changes)


class TestTimes:
    def test_nothing_done_is_nothing_measured(self) -> None:
        took = times(incident())
        assert (took.incident, took.detect) == ("INC-2026-0001", HOUR)
        assert (took.acknowledge, took.contain, took.remediate, took.close) == (None, None, None, None)

    def test_each_step_counts_from_detection(self) -> None:
        # opened at 0, detected at 1, acknowledged at 1, contained at 3, effective at 4, proven at 5, closed at 6
        took = times(incident(ACKNOWLEDGED, CONTAINED, CAUSE, action(at(4)), verified(), CLOSED))
        assert (took.acknowledge, took.contain) == (0 * HOUR, 2 * HOUR)
        assert (took.remediate, took.close) == (3 * HOUR, 5 * HOUR)

    def test_the_start_goes_before_the_occurrence(self) -> None:
        started = ("date_set", {"name": "started", "at": at(-5).isoformat()})
        assert times(incident(started)).detect == 6 * HOUR

    def test_a_fix_counts_once_it_is_proven(self) -> None:
        assert times(incident(action(at(4)))).remediate is None
        assert times(incident(action(at(4)), verified(passed=False))).remediate is None
        assert times(incident(action(at(4)), ("end_attested", {"how": "read"}))).remediate == 3 * HOUR

    def test_the_latest_action_decides(self) -> None:
        assert times(incident(action(at(4)), action(at(9), "A2"), verified())).remediate == 8 * HOUR


class TestPunctuality:
    def test_in_time_late_and_overdue(self) -> None:
        owed = [duty(10, 10), duty(10, 9), duty(10, 11), duty(10), duty(90)]
        assert punctuality(owed, at(50)) == Punctuality(in_time=2, late=1, overdue=1)
        assert punctuality(owed, at(50)).rate == 0.5

    @pytest.mark.parametrize(
        "change",
        [
            {"status": Status.DORMANT},
            {"truth": Truth.UNKNOWN},
            {"truth": Truth.NO},
            {"decision": "not_reportable: no risk"},
            {"legal_latest": None},
        ],
    )
    def test_only_what_is_owed_with_a_date_counts(self, change: dict[str, Any]) -> None:
        assert punctuality([duty(10, **change)], at(50)) == Punctuality(0, 0, 0)

    def test_no_duty_has_no_rate(self) -> None:
        assert punctuality([], at(0)).rate is None


class TestFigures:
    def test_incidents_are_counted_by_what_they_are(self) -> None:
        closed = incident(ACKNOWLEDGED, CLOSED, category="data_leakage", name="INC-2026-0002")
        told = figures([incident(), closed], [duty(10, 9)], at(50))
        assert (told.incidents, told.open) == (2, 1)
        assert told.by_category == {"bias": 1, "data_leakage": 1}
        assert told.by_month == {"2026-11": 2}
        assert told.by_severity == {}
        assert told.punctuality == Punctuality(1, 0, 0)

    def test_spreads_of_few_show_the_slowest_and_of_many_the_ninetieth_percentile(self) -> None:
        def detected(hours: float) -> Any:
            return incident(dates={"occurred": at(0).isoformat(), "detected": at(hours).isoformat()})

        few = figures([detected(h) for h in (1, 2, 9)], [], at(50)).spreads["detect"]
        assert (few.count, few.median, few.slow) == (3, 2 * HOUR, 9 * HOUR)
        many = figures([detected(h) for h in range(1, 12)], [], at(50)).spreads["detect"]
        assert (many.count, many.median) == (11, 6 * HOUR)
        assert many.slow == timedelta(hours=10.8)  # the exclusive method: place 0.9 (11 + 1) = 10.8

    def test_nothing_has_no_spreads(self) -> None:
        assert figures([], [], at(0)).spreads == {}
