"""From when a fix counts, how the error is shared among proofs, and what they amount to together."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.incident.made import at, clearance, finding
from tocsin.model.errors import Refused
from tocsin.model.incident import CorrectiveAction
from tocsin.remediate.proving import ALPHA, Proof, Verdict, begins, effective_from, shares


def _action(effective: datetime | None) -> CorrectiveAction:
    return CorrectiveAction("A1", "release back", "larsen", effective)


class TestEffective:
    def test_the_fix_as_a_whole_is_in_force_with_its_last_action(self) -> None:
        assert effective_from([_action(at(2)), _action(at(5)), _action(None), _action(at(3))], at(9)) == at(5)

    def test_an_action_in_force_from_this_instant_counts(self) -> None:
        assert effective_from([_action(at(9))], at(9)) == at(9)

    @pytest.mark.parametrize("actions", [[], [_action(None)]])
    def test_without_an_instant_nothing_can_be_proven(self, actions: list[CorrectiveAction]) -> None:
        with pytest.raises(Refused, match="no corrective action says from when it is effective") as told:
            effective_from(actions, at(9))
        assert "--action and --effective" in told.value.remedy

    def test_a_fix_that_is_still_to_come_proves_nothing(self) -> None:
        with pytest.raises(Refused, match="takes effect on 2026-11-02 18:00 UTC, which is still to come") as told:
            effective_from([_action(at(2)), _action(at(10))], at(9))
        assert told.value.remedy == "verify after that"


class TestBeginning:
    def test_rows_count_from_the_fix_on(self) -> None:
        assert begins(at(8), finding(hours=3)) == at(8)

    def test_an_action_that_claims_to_be_older_than_the_fault_starts_with_the_faults_window(self) -> None:
        assert begins(at(-100), finding(hours=3)) == at(3)


class TestShares:
    def test_one_proof_has_the_whole_error(self) -> None:
        assert shares(["f1"]) == {"f1": 0.05}

    def test_four_proofs_have_a_quarter_each(self) -> None:
        assert shares(["a", "b", "c", "d"]) == dict.fromkeys("abcd", 0.0125)

    def test_nothing_to_prove_has_no_shares(self) -> None:
        assert shares([]) == {}

    @given(st.sets(st.text(min_size=1), min_size=1, max_size=50), st.floats(0.001, 0.2))
    def test_together_they_never_exceed_the_level(self, names: set[str], alpha: float) -> None:
        assert sum(shares(sorted(names), alpha).values()) == pytest.approx(alpha)

    def test_the_level_of_an_incident_is_five_percent(self) -> None:
        assert ALPHA == 0.05


class TestVerdict:
    def _verdict(self, *passed: bool) -> Verdict:
        proofs = (Proof(f"f{n}", "a gap", "group_parity:sex", at(8), clearance(passed=p)) for n, p in enumerate(passed))
        return Verdict("INC-2026-0001", tuple(proofs))

    def test_every_proof_must_pass(self) -> None:
        assert self._verdict(True, True).passed
        assert not self._verdict(True, False).passed
        assert not self._verdict(False).passed
