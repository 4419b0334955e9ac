"""Times and days as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tocsin.cli.commands import times
from tocsin.model.errors import UsageFault


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-24T09:30Z", datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
        ("2026-11-24T09:30:15+01:00", datetime(2026, 11, 24, 9, 30, 15, tzinfo=timezone(timedelta(hours=1)))),
        ("2026-11-24 09:30-05:30", datetime(2026, 11, 24, 15, 0, tzinfo=UTC)),
    ],
)
def test_an_instant_has_an_offset(text: str, at: datetime) -> None:
    assert times.instant(text) == at


@pytest.mark.parametrize(
    ("text", "says"), [("2026-11-24T09:30", "no zone"), ("24.11.2026", "not a time"), ("", "not a time")]
)
def test_what_is_no_instant_is_told_with_an_example(text: str, says: str) -> None:
    with pytest.raises(UsageFault, match=says) as raised:
        times.instant(text)
    assert "offset" in raised.value.remedy or "2026-11-24T09:30+01:00" in raised.value.remedy


def test_a_day_is_a_date() -> None:
    assert times.day("2027-12-02") == date(2027, 12, 2)
    with pytest.raises(UsageFault, match="not a day"):
        times.day("tomorrow")
