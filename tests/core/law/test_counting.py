"""Periods counted by hand: each expected instant below was worked out on a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.content.loaders.calendars import calendar
from tocsin.law.counting import NO_HOLIDAYS, Calendar, Deadline, Unit, count

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
DE = calendar("DE")


def local(text: str, zone: str = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def counted(deadline: Deadline, anchor: str, zone: str = BERLIN, days: Calendar = DE) -> tuple[str, str]:
    """Operational and latest instant, as they read at the authority."""
    found = count(deadline, local(anchor, zone), zone, days)
    assert found.operational_due is not None
    assert found.legal_latest is not None
    shown = (
        at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
        for at in (found.operational_due, found.legal_latest)
    )
    first, last = shown
    return first, last


def end(day: str) -> str:
    return f"{day} 23:59:59"


class TestHours:
    @pytest.mark.parametrize(
        ("anchor", "operational", "latest"),
        [
            ("2026-11-27 17:40", "2026-11-30 17:40:00", "2026-11-30 18:00:00"),
            ("2026-11-23 08:00", "2026-11-26 08:00:00", "2026-11-26 09:00:00"),
            ("2020-12-22 12:17", "2020-12-25 12:17:00", "2020-12-25 13:00:00"),
            ("2027-03-27 10:00", "2027-03-30 11:00:00", "2027-03-30 12:00:00"),
            ("2026-10-24 10:30", "2026-10-27 09:30:00", "2026-10-27 10:00:00"),
            ("2026-12-31 23:59", "2027-01-03 23:59:00", "2027-01-04 00:00:00"),
        ],
    )
    def test_seventy_two_hours_under_union_law(self, anchor: str, operational: str, latest: str) -> None:
        assert counted(Deadline("hours", 72), anchor) == (operational, latest)

    def test_elsewhere_hours_are_elapsed_time_and_nothing_else(self) -> None:
        assert counted(Deadline("hours", 24, "calendar"), "2026-11-27 17:40") == ("2026-11-28 17:40:00",) * 2

    @pytest.mark.parametrize(
        ("anchor", "latest"),
        [
            ("2026-11-26 10:00", "2026-11-27 10:00:00"),  # ends on a Friday
            ("2026-11-27 10:00", "2026-11-30 12:00:00"),  # ends on a Saturday: Monday noon
            ("2026-12-24 09:00", "2026-12-28 12:00:00"),  # ends on Christmas Day, a Friday: Monday noon
        ],
    )
    def test_noon_of_the_next_working_day_for_financial_entities(self, anchor: str, latest: str) -> None:
        assert counted(Deadline("hours", 24, "calendar", noon_next_working_day=True), anchor)[1] == latest

    @pytest.mark.parametrize(
        ("anchor", "due", "latest"),
        [
            ("2026-12-04 12:00", "2027-01-04 23:59:59", "2027-01-04 23:59:59"),  # ends on a Monday
            ("2026-11-27 10:00", "2026-12-27 23:59:59", "2026-12-28 12:00:00"),  # ends on a Sunday
            ("2026-12-01 10:00", "2027-01-01 23:59:59", "2027-01-04 12:00:00"),  # New Year's Day, a Friday
        ],
    )
    def test_the_same_noon_ends_a_month(self, anchor: str, due: str, latest: str) -> None:
        month = Deadline("months", 1, "calendar", noon_next_working_day=True)
        assert counted(month, anchor) == (due, latest)


class TestDays:
    @pytest.mark.parametrize(
        ("amount", "anchor", "operational", "latest"),
        [
            (15, "2028-02-07 10:30", "2028-02-22", "2028-02-22"),  # Monday to Tuesday
            (15, "2028-02-15 10:00", "2028-03-01", "2028-03-01"),  # past 29 February
            (10, "2028-04-06 09:00", "2028-04-16", "2028-04-18"),  # Easter Sunday, Easter Monday
            (2, "2028-03-03 16:20", "2028-03-05", "2028-03-07"),  # Friday: two working days
            (
                2,
                "2026-12-23 16:20",
                "2026-12-25",
                "2026-12-28",
            ),  # 24 December works; 25 and 26 do not; 28 is the second
            (2, "2026-11-24 23:59", "2026-11-26", "2026-11-26"),
            (1, "2026-11-27 10:00", "2026-11-28", "2026-11-30"),  # one day rolls, and has no second working day to find
            (3, "2026-04-30 10:00", "2026-05-03", "2026-05-05"),  # Labour Day on Friday, a weekend: Monday, Tuesday
            (30, "2026-12-02 10:00", "2027-01-01", "2027-01-04"),  # New Year on a Friday
        ],
    )
    def test_days_under_union_law(self, amount: int, anchor: str, operational: str, latest: str) -> None:
        assert counted(Deadline("days", amount), anchor) == (end(operational), end(latest))

    def test_days_elsewhere_do_not_roll(self) -> None:
        assert counted(Deadline("days", 10, "calendar"), "2028-04-06 09:00") == (end("2028-04-16"),) * 2

    def test_where_a_statute_carries_over_it_is_only_the_latest_arguable_instant(self) -> None:
        deadline = Deadline("days", 30, "calendar", carry_over=True)
        assert counted(deadline, "2026-10-29 09:00") == (end("2026-11-28"), end("2026-11-30"))

    def test_backwards_nothing_rolls(self) -> None:
        assert counted(Deadline("days", 10, backwards=True), "2026-12-01 09:00") == (end("2026-11-21"),) * 2

    @pytest.mark.parametrize("unit", ["days", "business_days"])
    def test_backwards_no_statute_carries_anything_on(self, unit: Unit) -> None:
        plain = Deadline(unit, 10, "calendar", backwards=True)
        carried = Deadline(unit, 10, "calendar", backwards=True, carry_over=True, begin_on_working_day=True)
        due, latest = counted(carried, "2026-12-06 09:00")
        assert due == latest == counted(plain, "2026-12-06 09:00")[0]

    def test_the_day_is_that_of_the_authority(self) -> None:
        late = datetime(2028, 2, 7, 23, 30, tzinfo=UTC)
        ends = [
            count(Deadline("days", 15), late, zone, NO_HOLIDAYS).operational_due for zone in (BERLIN, "Europe/Lisbon")
        ]
        assert ends == [datetime(2028, 2, 23, 22, 59, 59, tzinfo=UTC), datetime(2028, 2, 22, 23, 59, 59, tzinfo=UTC)]


class TestOtherUnits:
    @pytest.mark.parametrize(
        ("deadline", "anchor", "day"),
        [
            (Deadline("weeks", 2, "calendar"), "2026-11-24 09:00", "2026-12-08"),
            (Deadline("months", 1, "calendar"), "2026-01-31 09:00", "2026-02-28"),
            (Deadline("months", 1, "calendar"), "2028-01-31 09:00", "2028-02-29"),
            (Deadline("months", 1, "calendar"), "2026-12-19 20:00", "2027-01-19"),
            (Deadline("months", 14, "calendar"), "2026-12-31 20:00", "2028-02-29"),
            (Deadline("years", 1, "calendar"), "2028-02-29 09:00", "2029-02-28"),
            (Deadline("years", 3, "calendar"), "2026-11-24 09:00", "2029-11-24"),
            (Deadline("day_of_next_month", 15, "calendar"), "2026-12-03 09:00", "2027-01-15"),
            (Deadline("days_after_year_end", 60, "calendar"), "2026-05-03 09:00", "2027-03-01"),
            (Deadline("business_days", 4, "calendar"), "2026-11-26 09:00", "2026-12-02"),
            (Deadline("business_days", 2, "calendar"), "2026-12-23 09:00", "2026-12-28"),
            (Deadline("business_days", 3, "calendar", backwards=True), "2026-11-24 09:00", "2026-11-19"),
        ],
    )
    def test_each_ends_with_a_day(self, deadline: Deadline, anchor: str, day: str) -> None:
        assert counted(deadline, anchor)[0] == end(day)

    @pytest.mark.parametrize(("amount", "day"), [(4, "2026-08-21"), (5, "2026-08-22"), (6, "2026-08-24")])
    def test_a_saturday_that_is_made_a_working_day_counts_as_one(self, amount: int, day: str) -> None:
        swapped = replace(NO_HOLIDAYS, made_up=lambda _: frozenset({date(2026, 8, 22)}))
        due, latest = counted(Deadline("business_days", amount, "calendar"), "2026-08-17 09:00", BERLIN, swapped)
        assert due == latest == end(day)

    def test_a_period_that_ends_on_a_made_up_day_is_not_carried_on(self) -> None:
        swapped = replace(NO_HOLIDAYS, made_up=lambda _: frozenset({date(2026, 8, 22)}))
        deadline = Deadline("days", 5, "calendar", carry_over=True)
        assert counted(deadline, "2026-08-17 09:00", BERLIN, swapped) == (end("2026-08-22"),) * 2
        assert counted(deadline, "2026-08-17 09:00", BERLIN, NO_HOLIDAYS) == (end("2026-08-22"), end("2026-08-24"))

    def test_months_under_union_law_roll(self) -> None:
        assert counted(Deadline("months", 1), "2026-10-28 09:00") == (end("2026-11-28"), end("2026-11-30"))

    def test_without_undue_delay_has_no_instant(self) -> None:
        found = count(Deadline("none"), local("2026-11-24 09:00"), BERLIN, DE)
        assert (found.operational_due, found.legal_latest) == (None, None)
        assert "without undue delay" in found.trace[-1].text


class TestFilings:
    """SEC Form 8-K: four business days; General Instruction B.1 begins and includes when the trigger falls on a day off."""

    US = Calendar("US", "test", lambda _: frozenset({date(2026, 11, 26)}))
    FORM = Deadline("business_days", 4, "calendar", cut_off=time(17, 30), begin_on_working_day=True)

    @pytest.mark.parametrize(
        ("anchor", "day"),
        [
            ("2026-11-23 10:00", "2026-11-30"),  # Mon: Tue, Wed, (Thanksgiving), Fri, Mon
            ("2026-11-21 10:00", "2026-11-27"),  # Sat: Mon is day 1, Tue, Wed, (Thanksgiving), Fri
            (
                "2026-11-20 18:45",
                "2026-11-27",
            ),  # Fri after the cut-off is Fri still: Mon, Tue, Wed, (Thanksgiving), Fri
            ("2026-11-28 11:00", "2026-12-03"),  # Sat: Mon 30 is day 1
            ("2026-11-26 11:00", "2026-12-02"),  # Thanksgiving: Fri 27 is day 1
            ("2026-11-25 11:00", "2026-12-02"),  # Wed: (Thanksgiving), Fri, Mon, Tue, Wed
        ],
    )
    def test_four_business_days_end_with_the_hour_of_acceptance(self, anchor: str, day: str) -> None:
        assert counted(self.FORM, anchor, NEW_YORK, self.US) == (f"{day} 17:30:00",) * 2

    def test_the_hour_of_acceptance_is_named(self) -> None:
        found = count(self.FORM, local("2026-11-23 10:00", NEW_YORK), NEW_YORK, self.US)
        assert "The authority's day ends at 17:30 for filings." in [step.text for step in found.trace]


class TestCarryOver:
    """A statute that may carry a last day or hour on: what is due stays, the carried instant is the latest arguable one."""

    KING = Calendar("US-NY", "test", lambda _: frozenset({date(2027, 1, 18)}))

    def test_hours_go_to_the_same_hour_of_the_next_working_day(self) -> None:
        due, latest = counted(
            Deadline("hours", 72, "calendar", carry_over=True), "2027-01-15 09:00", NEW_YORK, self.KING
        )
        assert (due, latest) == ("2027-01-18 09:00:00", "2027-01-19 09:00:00")

    def test_hours_that_end_on_a_working_day_stay(self) -> None:
        due, latest = counted(
            Deadline("hours", 24, "calendar", carry_over=True), "2027-01-13 09:00", NEW_YORK, self.KING
        )
        assert due == latest == "2027-01-14 09:00:00"

    def test_no_line_of_such_a_period_is_put_down_to_union_law(self) -> None:
        found = count(
            Deadline("days", 30, "calendar", carry_over=True), local("2026-12-16 09:00", NEW_YORK), NEW_YORK, self.KING
        )
        assert [step.rule for step in found.trace] == ["", "", "operational"]

    def test_a_last_day_that_moves_is_put_down_to_the_statute(self) -> None:
        found = count(
            Deadline("days", 31, "calendar", carry_over=True), local("2026-12-18 09:00", NEW_YORK), NEW_YORK, self.KING
        )
        assert [step.rule for step in found.trace] == [
            "",
            "",
            "operational",
            "carry-over statute",
            "carry-over statute",
        ]
        assert found.trace[-1].text == "At the authority Tuesday 19 January 2027 ends then."


def test_where_it_is_contested_whether_the_first_day_counts_the_earlier_end_is_due() -> None:
    due, latest = counted(Deadline("days", 60, "calendar", first_day_may_count=True), "2026-11-27 17:00", BERLIN, DE)
    assert (due, latest) == (end("2027-01-25"), end("2027-01-26"))
    named = count(Deadline("days", 60, "calendar", first_day_may_count=True), local("2026-11-27 17:00"), BERLIN, DE)
    assert [step.text for step in named.trace if step.instant == named.operational_due] == [
        "If the day of the event is day 1, the period ends with Monday 25 January 2027: the safe reading."
    ]


class TestTrace:
    def test_counsel_can_follow_every_line(self) -> None:
        found = count(Deadline("days", 2), local("2028-03-03 16:20"), BERLIN, DE)
        assert [step.text for step in found.trace] == [
            "The period starts with Friday 03 March 2028, 16:20:00 CET.",
            "The day of the event, Friday 03 March 2028, does not count.",
            "2 days end with Sunday 05 March 2028.",
            f"Sunday 05 March is a day off ({DE.id} {DE.version}); the period ends with Monday 06 March 2028.",
            "A period of two days or more includes two working days: it ends with Tuesday 07 March 2028.",
            "At the authority Tuesday 07 March 2028 ends then.",
        ]
        assert [step.rule for step in found.trace][1:] == [
            "1182/71 Art. 3(1)",
            "operational",
            "1182/71 Art. 3(4)",
            "1182/71 Art. 3(5)",
            "1182/71 Art. 3(2)(b)",
        ]
        assert found.trace[-1].instant == found.legal_latest

    def test_a_naive_anchor_is_our_own_mistake(self) -> None:
        with pytest.raises(AssertionError, match="zone"):
            count(Deadline("days", 2), datetime(2028, 3, 3), BERLIN, DE)  # noqa: DTZ001 - the point


class TestCalendars:
    def test_the_commission_has_days_of_its_own(self) -> None:
        union = calendar("EU")
        assert not union.working(date(2026, 11, 2))
        assert union.working(date(2026, 11, 3))
        assert not union.working(date(2026, 12, 31))
        assert "(S)" in union.version

    @pytest.mark.parametrize(("code", "same_as"), [("EL", "GR"), ("UK", "GB")])
    def test_codes_of_the_union_are_understood(self, code: str, same_as: str) -> None:
        assert calendar(code).days_off(2026) == calendar(same_as).days_off(2026)

    def test_the_next_working_day_may_be_the_day_itself(self) -> None:
        assert DE.next_working(date(2026, 11, 24)) == date(2026, 11, 24)
        assert DE.next_working(date(2026, 12, 25)) == date(2026, 12, 28)


anchors = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware
deadlines = st.builds(
    Deadline, st.sampled_from(["hours", "days", "weeks", "months", "business_days"]), st.integers(1, 60)
)


@given(deadlines, anchors)
def test_the_latest_instant_is_never_before_the_operational_and_both_after_the_anchor(
    deadline: Deadline, anchor: Any
) -> None:
    found = count(deadline, anchor, BERLIN, DE)
    assert found.operational_due is not None
    assert found.legal_latest is not None
    assert anchor < found.operational_due <= found.legal_latest


@given(st.integers(1, 400), anchors)
def test_one_more_day_never_ends_earlier(amount: int, anchor: Any) -> None:
    shorter, longer = (count(Deadline("days", n), anchor, BERLIN, DE).legal_latest for n in (amount, amount + 1))
    assert shorter is not None
    assert longer is not None
    assert shorter <= longer <= shorter + timedelta(days=8)


@given(st.integers(2, 30), anchors)
def test_a_period_of_days_under_union_law_ends_on_a_working_day_with_two_inside(amount: int, anchor: Any) -> None:
    found = count(Deadline("days", amount), anchor, BERLIN, DE)
    assert found.legal_latest is not None
    last = found.legal_latest.astimezone(ZoneInfo(BERLIN)).date()
    first = anchor.astimezone(ZoneInfo(BERLIN)).date()
    assert DE.working(last)
    assert sum(DE.working(first + timedelta(days=n)) for n in range(1, (last - first).days + 1)) >= 2


class TestYearsThatNobodyPublished:
    YEARLY = Calendar("office", "1", lambda year: frozenset({date(year, 5, 9)}), years=frozenset({2027}))

    @pytest.mark.parametrize(("year", "told"), [(2027, False), (2028, True)])
    def test_the_trace_says_that_weekends_only_are_counted(self, year: int, told: bool) -> None:
        found = count(Deadline("days", 15), local(f"{year}-03-01 10:00"), BERLIN, self.YEARLY)
        assert any(f"The days off of {year} are not known here (office 1)" in step.text for step in found.trace) is told

    @pytest.mark.parametrize("deadline", [Deadline("days", 15, "calendar"), Deadline("hours", 72), Deadline("none")])
    def test_where_days_off_do_not_matter_nothing_is_said(self, deadline: Deadline) -> None:
        found = count(deadline, local("2028-03-01 10:00"), BERLIN, self.YEARLY)
        assert not [step for step in found.trace if "not known here" in step.text]

    def test_a_country_has_no_such_years(self) -> None:
        found = count(Deadline("days", 15), local("2040-03-01 10:00"), BERLIN, DE)
        assert not [step for step in found.trace if "not known here" in step.text]
