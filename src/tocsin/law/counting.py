"""Counting periods, so that counsel can follow every line by hand.

Two instants come out. `operational_due` drives alarms: hours run exactly, days end at 23:59:59 of day 0 + N at the authority, and
nothing rolls. `legal_latest` is the last lawful instant under the counting law that applies. Hours are elapsed time and are added
in UTC; days are dates at the authority and never become hours.

Sources: Regulation (EEC, Euratom) No 1182/71 Art. 3: (1) the hour or day of the event does not count; (2) a period ends with the expiry of
its last hour, day or same date; (4) a last day that is a holiday, Saturday or Sunday moves to the next working day unless the
period is in hours or counted backwards; (5) a period of two days or more includes at least two working days.
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from tocsin.model.law import CountingStep

Unit = Literal[
    "hours", "days", "weeks", "months", "years", "business_days", "day_of_next_month", "days_after_year_end", "none"
]
Law = Literal["eu1182", "uk1182", "calendar"]
UNION_LAW = ("eu1182", "uk1182")
CARRY_OVER = "carry-over statute"
zone_info = lru_cache(maxsize=None)(ZoneInfo)
"""A zone by its name, read once: the standard library remembers only the last eight."""
LAST_SECOND = time(23, 59, 59)
HOUR = timedelta(hours=1)


def _no_days(_: int) -> frozenset[date]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days off at an authority: `days_off(year)` gives its public holidays; the days of the weekend are off unless they are made up."""

    id: str
    version: str
    days_off: Callable[[int], frozenset[date]]
    weekend: frozenset[int] = frozenset({5, 6})
    """Days of the week, Monday is 0."""
    made_up: Callable[[int], frozenset[date]] = _no_days
    """Days of a weekend that the government made working days, for a bridge day elsewhere (Vietnam, China, Taiwan)."""
    years: frozenset[int] | None = None
    """The years whose days off are known, where they are published year by year; None for all."""

    def working(self, day: date) -> bool:
        """Whether it is a working day (Reg. 1182/71 Art. 2)."""
        if day in self.made_up(day.year):
            return True
        return day.weekday() not in self.weekend and day not in self.days_off(day.year)

    def next_working(self, day: date) -> date:
        """The day itself if it is a working day, else the next one."""
        while not self.working(day):
            day += timedelta(days=1)
        return day


NO_HOLIDAYS = Calendar("none", "1", _no_days)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A period as the law states it. `unit="none"` is "without undue delay": no instant is invented."""

    unit: Unit
    amount: int = 0
    law: Law = "eu1182"
    backwards: bool = False
    noon_next_working_day: bool = False
    """A period that ends on a day off ends at noon of the next working day instead (Delegated Reg. (EU) 2025/301 Art. 5(4))."""
    cut_off: time | None = None
    """Local time at which the authority's day ends for filings (EDGAR: 17:30, Regulation S-T)."""
    begin_on_working_day: bool = False
    """A trigger on a day off counts as falling on the next business day, which is then day 1 (SEC Form 8-K General Instruction B.1)."""
    carry_over: bool = False
    """A statute lets a last day that is a day off move on, a last hour to the same hour; shown as the latest arguable instant only."""
    first_day_may_count: bool = False
    """Contested whether the day of the event is day 1: the earlier end is due, the later one the latest arguable."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The two instants and how they were found."""

    operational_due: datetime | None
    legal_latest: datetime | None
    trace: tuple[CountingStep, ...]


def count(deadline: Deadline, anchor: datetime, zone: str, days: Calendar) -> Counted:
    """The end of the period that the anchor starts, at an authority in `zone` with the days off of `days`.

    Raises:
        AssertionError: the anchor has no zone; naive times are refused before they get here.
    """
    if anchor.tzinfo is None:
        raise AssertionError("an anchor needs a zone")
    there = anchor.astimezone(zone_info(zone))
    begin = CountingStep(f"The period starts with {there:%A %d %B %Y, %H:%M:%S %Z}.", anchor)
    if deadline.unit == "none":
        return Counted(None, None, (begin, CountingStep("The law names no number: without undue delay.")))
    if deadline.unit == "hours":
        return _hours(deadline, anchor, begin, zone, days)
    return _days(deadline, there, begin, zone, days)


def _hours(deadline: Deadline, anchor: datetime, begin: CountingStep, zone: str, days: Calendar) -> Counted:
    exact = anchor.astimezone(UTC) + deadline.amount * HOUR
    steps = [begin, CountingStep(f"{deadline.amount} hours of elapsed time end then.", exact, "operational")]
    legal = exact
    if deadline.law in UNION_LAW:
        whole = anchor.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
        legal = whole + deadline.amount * HOUR
        steps.append(
            CountingStep(
                "The hour of the event does not count; the first hour begins then.", whole, "1182/71 Art. 3(1)"
            )
        )
        steps.append(CountingStep(f"The last of {deadline.amount} hours expires then.", legal, "1182/71 Art. 3(2)(a)"))
        steps.append(CountingStep("A period in hours does not move past days off.", legal, "1182/71 Art. 3(4)"))
    if deadline.noon_next_working_day:
        legal = _noon(legal, zone, days, steps)
    if deadline.carry_over:
        legal = _same_hour(legal, zone, days, steps)
    return Counted(exact, legal, tuple(steps))


def _same_hour(end: datetime, zone: str, days: Calendar, steps: list[CountingStep]) -> datetime:
    there = end.astimezone(zone_info(zone))
    moved = _local(days.next_working(there.date()), there.time(), zone)
    if moved != end:
        what = f"{there:%A %d %B} is a day off ({days.id}): arguably the same hour of the next working day."
        steps.append(CountingStep(what, moved, CARRY_OVER))
    return moved


def _noon(end: datetime, zone: str, days: Calendar, steps: list[CountingStep]) -> datetime:
    day = end.astimezone(zone_info(zone)).date()
    if days.working(day):
        return end
    moved = _local(days.next_working(day), time(12), zone)
    steps.append(
        CountingStep(
            f"{day:%A %d %B} is a day off ({days.id}): noon of the next working day.", moved, "2025/301 Art. 5(4)"
        )
    )
    return moved


def _days(deadline: Deadline, there: datetime, begin: CountingStep, zone: str, days: Calendar) -> Counted:
    steps = [begin]
    start = _day_zero(deadline, there, days, steps)
    nominal = _nominal(deadline, start, days)
    ends = deadline.cut_off or LAST_SECOND
    if deadline.cut_off:
        steps.append(CountingStep(f"The authority's day ends at {deadline.cut_off:%H:%M} for filings."))
    first = nominal - timedelta(days=1) if deadline.first_day_may_count else nominal
    operational = _local(first, ends, zone)
    if first != nominal:
        what = f"If the day of the event is day 1, the period ends with {first:%A %d %B %Y}: the safe reading."
        steps.append(CountingStep(what, operational, "operational"))
    rule = "operational" if first == nominal else ""
    steps.append(CountingStep(f"{_words(deadline)} end with {nominal:%A %d %B %Y}.", _local(nominal, ends, zone), rule))
    last = _last(deadline, start, nominal, days, steps)
    legal = _local(last, ends, zone)
    if deadline.noon_next_working_day:
        return Counted(operational, _noon(legal, zone, days, steps), tuple(steps))
    if last != nominal:
        rule = "1182/71 Art. 3(2)(b)" if deadline.law in UNION_LAW else CARRY_OVER
        steps.append(CountingStep(f"At the authority {last:%A %d %B %Y} ends then.", legal, rule))
    return Counted(operational, legal, tuple(steps))


def _last(deadline: Deadline, start: date, nominal: date, days: Calendar, steps: list[CountingStep]) -> date:
    """The last lawful day. What is counted backwards never moves: moving on would make it later than the law allows."""
    if deadline.backwards:
        return nominal
    if deadline.law in UNION_LAW and deadline.unit != "business_days":
        last = _rolled(nominal, days, steps, "1182/71 Art. 3(4)")
        if days.years is not None and nominal.year not in days.years:
            what = f"The days off of {nominal.year} are not known here ({days.id} {days.version}): weekends only are counted."
            steps.append(CountingStep(what))
        return _two_working_days(deadline, start, last, days, steps)
    return _rolled(nominal, days, steps, CARRY_OVER) if deadline.carry_over else nominal


def _day_zero(deadline: Deadline, there: datetime, days: Calendar, steps: list[CountingStep]) -> date:
    """The day that does not count."""
    day = there.date()
    if deadline.begin_on_working_day and not deadline.backwards and not days.working(day):
        day = days.next_working(day) - timedelta(days=1)
        steps.append(CountingStep("A trigger on a day off: the next business day is day 1."))
    elif deadline.unit not in ("day_of_next_month", "days_after_year_end"):
        rule = "1182/71 Art. 3(1)" if deadline.law in UNION_LAW else ""
        steps.append(CountingStep(f"The day of the event, {day:%A %d %B %Y}, does not count.", rule=rule))
    return day


def _nominal(deadline: Deadline, start: date, days: Calendar) -> date:
    amount = -deadline.amount if deadline.backwards else deadline.amount
    match deadline.unit:
        case "days":
            return start + timedelta(days=amount)
        case "weeks":
            return start + timedelta(weeks=amount)
        case "months":
            return _months(start, amount)
        case "years":
            return _months(start, 12 * amount)
        case "business_days":
            return _business_days(start, amount, days)
        case "day_of_next_month":
            return _months(start.replace(day=1), 1).replace(day=amount)
        case _:
            return date(start.year, 12, 31) + timedelta(days=amount)


def _months(start: date, months: int) -> date:
    """The same date so many months on; the last day of the month where there is no such date (1182/71 Art. 3(2)(c))."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(start.day, gregorian.monthrange(year, month + 1)[1]))


def _business_days(start: date, amount: int, days: Calendar) -> date:
    day, step = start, timedelta(days=1 if amount > 0 else -1)
    for _ in range(abs(amount)):
        day += step
        while not days.working(day):
            day += step
    return day


def _rolled(last: date, days: Calendar, steps: list[CountingStep], rule: str) -> date:
    moved = days.next_working(last)
    if moved != last:
        what = f"{last:%A %d %B} is a day off ({days.id} {days.version}); the period ends with {moved:%A %d %B %Y}."
        steps.append(CountingStep(what, rule=rule))
    return moved


def _two_working_days(deadline: Deadline, start: date, last: date, days: Calendar, steps: list[CountingStep]) -> date:
    if deadline.unit == "days" and deadline.amount < 2:
        return last
    inside = sum(days.working(start + timedelta(days=n)) for n in range(1, (last - start).days + 1))
    if inside >= 2:
        return last
    moved = last
    while inside < 2:
        moved = days.next_working(moved + timedelta(days=1))
        inside += 1
    what = f"A period of two days or more includes two working days: it ends with {moved:%A %d %B %Y}."
    steps.append(CountingStep(what, rule="1182/71 Art. 3(5)"))
    return moved


def _local(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, zone_info(zone)).astimezone(UTC)


def _words(deadline: Deadline) -> str:
    unit = deadline.unit.replace("_", " ")
    if deadline.unit == "day_of_next_month":
        return f"Day {deadline.amount} of the next month: the period"
    return f"{deadline.amount} {unit}{' before' if deadline.backwards else ''}"
