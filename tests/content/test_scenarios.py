"""The invented traffic of the demo: the same seed gives the same rows, and what is planted is there and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tocsin.content.scenarios import assistant, bank

SEEDS = (7, 8, 9, 10, 11)
HOUR = datetime(2026, 10, 15, 12, tzinfo=UTC)
FAIR = (bank.Release("2.2.0", HOUR - timedelta(days=90)),)
CHANGED = (*FAIR, bank.Release(bank.UNFAIR, HOUR))
NEVER = assistant.Poisoning(HOUR + timedelta(days=900), HOUR + timedelta(days=901))
PLANTED = assistant.Poisoning(HOUR, HOUR + timedelta(hours=1))


def _said(seed: int, poisoning: assistant.Poisoning, hour: datetime = HOUR) -> list[assistant.Message]:
    return list(assistant.messages(seed, hour, poisoning))


def _gap(rows: pa.Table) -> float:
    """Men's approval rate less women's."""
    rate = {sex: pc.mean(rows.filter(pc.equal(rows["sex"], sex))["approved"]).as_py() for sex in ("female", "male")}
    return float(rate["male"] - rate["female"])


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    assert bank.applications(7, HOUR, CHANGED).equals(bank.applications(7, HOUR, CHANGED))
    assert not bank.applications(7, HOUR, CHANGED).equals(bank.applications(8, HOUR, CHANGED))
    assert _said(7, PLANTED) == _said(7, PLANTED)
    assert _said(7, PLANTED) != _said(8, PLANTED)


@pytest.mark.parametrize("seed", SEEDS)
def test_release_2_3_0_turns_unfair_to_women_and_2_2_0_is_not(seed: int) -> None:
    hours = [HOUR + timedelta(hours=n) for n in range(6)]
    before = pa.concat_tables([bank.applications(seed, hour, FAIR) for hour in hours])
    after = pa.concat_tables([bank.applications(seed, hour, CHANGED) for hour in hours])
    assert abs(_gap(before)) < 0.06
    assert _gap(after) > 0.08


def test_a_row_bears_the_release_that_was_live_when_it_was_decided() -> None:
    half = HOUR + timedelta(minutes=30)
    rows = bank.applications(7, HOUR, (*FAIR, bank.Release(bank.UNFAIR, half))).to_pylist()
    assert {row["model_version"] for row in rows} == {"2.2.0", bank.UNFAIR}
    assert all(
        (row["model_version"] == bank.UNFAIR) == (datetime.fromisoformat(row["decided_at"]) >= half) for row in rows
    )


def test_people_keep_their_attributes_over_all_applications() -> None:
    sex: dict[str, set[str]] = {}
    for hour in (HOUR, HOUR + timedelta(days=1), HOUR + timedelta(days=9)):
        for row in bank.applications(7, hour, FAIR).to_pylist():
            sex.setdefault(row["applicant_id"], set()).add(row["sex"])
    assert {len(told) for told in sex.values()} == {1}


def test_rows_come_in_order_within_their_hour_and_ids_are_not_repeated() -> None:
    rows = bank.applications(7, HOUR, FAIR)
    times = [datetime.fromisoformat(text) for text in rows["decided_at"].to_pylist()]
    assert times == sorted(times)
    assert HOUR <= times[0] <= times[-1] < HOUR + timedelta(hours=1)
    assert len(set(rows["application_id"].to_pylist())) == rows.num_rows


@pytest.mark.parametrize("seed", SEEDS)
def test_without_the_document_nobodys_data_is_told(seed: int) -> None:
    said = _said(seed, NEVER)
    assert said
    assert not [m for m in said if "IBAN" in m["text"] or m["text"] == assistant.POISONED_DOCUMENT]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_document_is_retrieved_and_the_assistant_leaks_three_customers(seed: int) -> None:
    said = _said(seed, PLANTED)
    assert [m for m in said if m["role"] == "retrieved" and m["text"] == assistant.POISONED_DOCUMENT]
    leaks = [m for m in said if "IBAN" in m["text"] and m["role"] == "assistant"]
    assert leaks
    assert {m["text"].count(", IBAN DE") for m in leaks} == {3}


def test_the_document_acts_only_while_it_stands_there() -> None:
    assert not [m for m in _said(7, PLANTED, HOUR + timedelta(hours=1)) if m["text"] == assistant.POISONED_DOCUMENT]


def test_leaked_numbers_carry_valid_check_digits() -> None:
    text = " ".join(m["text"] for m in _said(7, PLANTED) if m["role"] == "assistant")
    cards = [found.replace(" ", "") for found in re.findall(r"card ((?:\d{4} ){3}\d{4})", text)]
    ibans = re.findall(r"IBAN DE(\d{2})(\d{18})", text)
    assert len(cards) == len(ibans) > 0
    for card in cards:
        doubled = [int(d) * 2 for d in card[-2::-2]]
        assert (sum(int(d) for d in card[-1::-2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0
    assert {int(f"{account}1314{check}") % 97 for check, account in ibans} == {1}


def test_messages_come_in_order_of_time_and_ids_are_not_repeated() -> None:
    said = _said(7, PLANTED)
    assert [m["time"] for m in said] == sorted(m["time"] for m in said)
    assert len({m["id"] for m in said}) == len(said)
