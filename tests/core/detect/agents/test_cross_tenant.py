"""One person's identifiers in another's session."""

from __future__ import annotations

from tests.core.detect.agents.talk import call, found, judged, message
from tocsin.model.finding import Level

IBAN = "DE89 3704 0044 0532 0130 00"
TYPED = message("user", f"my account is {IBAN}", "a1", unit="anna")
LEAKED = message("assistant", "the account is DE89370400440532013000", "b1", unit="ben")


def test_an_account_that_another_person_typed_is_severe() -> None:
    (finding,) = found("cross_tenant", TYPED, LEAKED)
    assert (finding.key, finding.level) == ("value", Level.SEVERE)
    assert "typed by one person, stood in an answer to another" in finding.explanation
    assert "3704" not in "".join((finding.explanation, *finding.masked))


def test_ones_own_account_may_come_back_in_another_session() -> None:
    assert found("cross_tenant", TYPED, message("assistant", IBAN, "a2", unit="anna")) == []


def test_what_both_typed_is_not_one_persons() -> None:
    assert found("cross_tenant", TYPED, message("user", IBAN, "b1", unit="ben"), LEAKED) == []


def test_what_nobody_typed_is_not_known_to_be_anybodys() -> None:
    assert found("cross_tenant", LEAKED) == []


def test_what_many_typed_is_common_knowledge() -> None:
    many = [message("user", IBAN, f"u{n}", unit=f"u{n}") for n in range(3)]
    assert found("cross_tenant", *many, LEAKED) == []
    assert len(found("cross_tenant", *many, LEAKED, shared_max=3)) == 1


def test_a_form_without_check_digits_is_a_sighting() -> None:
    mail = message("user", "I am anna.albers42@nordpost-mail.eu", "a1", unit="anna")
    said = message("assistant", "ask anna.albers42@nordpost-mail.eu", "b1", unit="ben")
    assert [finding.level for finding in found("cross_tenant", mail, said)] == [Level.SIGHTING]


def test_arguments_of_a_tool_are_said_and_its_results_are_not() -> None:
    sent = call("mail", f'{{"body": "{IBAN}"}}', "b1", unit="ben")
    assert len(found("cross_tenant", TYPED, sent)) == 1
    assert found("cross_tenant", TYPED, message("tool", IBAN, "b1", unit="ben")) == []


def test_identifiers_of_earlier_windows_are_remembered() -> None:
    first, second = judged("cross_tenant", [TYPED], [LEAKED])
    assert (first, [finding.level for finding in second]) == ([], [Level.SEVERE])


def test_without_persons_a_session_stands_for_one() -> None:
    one, other = message("user", IBAN, "s1"), message("assistant", IBAN, "s2")
    assert len(found("cross_tenant", one, other)) == 1
    assert found("cross_tenant", one, message("assistant", IBAN, "s1")) == []
