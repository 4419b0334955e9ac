"""Forms without check digits, and what tells a secret from a placeholder."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text.validators import VALIDATORS
from tocsin.detect.text.validators_secrets import DOCUMENTED, ENTROPY_BITS_MIN, documented, entropy

WORKING = "k9Qz7Lw2Rt5Vx8Bn3Mp6"


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("telephone", ["481 7531", "61 51 81", "5551234567", "916.972.1680x22008", "(88) 684-334"], []),
        ("telephone", [], ["12345", "111 111 1", "2024-01-31", "31.01.2024"]),
        ("telephone", ["02.27.96.63.08"], ["1990-1995", "100 000", "1 000 000", "1234567890123456"]),
        ("national_telephone", ["(212) 555-7890", "030/9876543"], ["009-85-072", "03/2024 12.00", "01.2024 12 30"]),
        ("coordinates", ["52.520008, 13.404954", "-33.8688,151.2092", "0.0001; 0.0000"], []),
        ("coordinates", [], ["95.1234, 13.4", "10.1234, 190.1", "0.0000, 0.0000", "1, 2, 3"]),
        ("mac", ["3c:5a:b4:1f:09:e2", "AC-DE-48-23-45-67"], ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:11:22:33", "no"]),
        ("ipv6", ["2a02:8109:9ac0:1f00:7c3e:51ff:fe2b:9d10", "2a01:4f8:c0c:5e1::7"], []),
        ("ipv6", [], ["::1", "fe80::1", "2001:db8::1", "12:30:45", "g::1"]),
        ("ipv4_any", ["10.0.0.1", "255.255.255.255", "0.0.0.0"], ["256.1.1.1", "1.2.3", "a.b.c.d"]),
        ("mrz", ["L898902C36UTO7408122F1204159ZE184226B<<<<<10"], []),
        ("mrz", [], ["L898902C37UTO7408122F1204159ZE184226B<<<<<10", "L898902C36UTO7408123F1204159ZE184226B<<<<<10", "L8"]),
        ("password", ["Kd93jsQp7h", "correcthorse", "%bKB#c!Mu"], []),
        ("password", [], ["password", "Password1", "changeme", "${DB_PASS}", "<secret>", "%(pw)s", "aaaa", "os.environ['X']", "********"]),
        ("password_strict", ["QMG8sbpDoNX%zP", "kT9!vb2Qx7", "jFBElwZJHrhDQw", "kBjBWiIaEklRBW"], []),
        ("password_strict", [], ["required", "databasePassword", "getPassword", "hello-world", "someThing"]),
        ("assigned", [WORKING, "Zp8Qw3Er5Ty7Ui9Op1As"], []),
        ("assigned", [], ["correcthorsebattery", "123456789012345678", "changeme-1234-abcd", "your_api_key_here_1"]),
        ("secret", [WORKING, "glpat" + "-q7Rk2Vw9x1a8Zk81mQw0"], []),
        ("secret", [], ["aaaaaaaaaaaaaaaa", "your_api_key_here_1234", "EXAMPLEKEY9Qz7Lw2", "xxxxxxxxQz7Lw2R9"]),
        ("jwt", ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MjQyIiwibmFtZSI6IkEifQ.s5rJ0o3fZb0qvT2h3Q8k"], []),
        ("jwt", [], ["W10.eyJzdWIiOiI0MjQyIn0.s5rJ0o3fZb0qvT2h3Q8k", "aaaa.aaaa.aaaa"]),
    ],
)  # fmt: skip
def test_forms(name: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if VALIDATORS[name](text) != [(0, len(text))]] == []
    assert [text for text in no if VALIDATORS[name](text)] == []


@pytest.mark.parametrize(
    ("user", "word", "right"),
    [
        ("svc", "Hunter77x", True),
        ("svc", "password", False),
        ("", "Hunter77x", False),
        ("svc", "", False),
        ("bot", "${TOKEN}", False),
    ],
)
def test_basic_credentials_are_user_and_password(user: str, word: str, right: bool) -> None:
    assert bool(VALIDATORS["basic"](b64encode(f"{user}:{word}".encode()).decode())) is right


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
def test_basic_credentials_have_no_encoding_of_their_own(encoding: str) -> None:
    assert VALIDATORS["basic"](b64encode("jörg:Hünter77x".encode(encoding)).decode())


@pytest.mark.parametrize("made", [b"svc\x00:Hunter77x", b"svc:Hunter\n77x", b"\x7fsvc:Hunter77x"])
def test_basic_credentials_have_no_control_characters(made: bytes) -> None:
    assert VALIDATORS["basic"](b64encode(made).decode()) == []


@pytest.mark.parametrize("text", ["realm", "QUJDREVGR0hJSktM", "////", "=", "caf\u00e9"])
def test_other_base64_is_no_credential(text: str) -> None:
    assert VALIDATORS["basic"](text) == []


@pytest.mark.parametrize(
    "text",
    ["your_key", "MY-EXAMPLE-1", "changeme", "change_me", "xxxxabcd", "<token>", "${X}", "{{ key }}", "%(key)s", "a...b", "12345678"],
)  # fmt: skip
def test_what_stands_in_manuals_is_known(text: str) -> None:
    assert documented(text)


@pytest.mark.parametrize("text", [WORKING, "Tq7Rk2Vw9x", "mQ8vL1xZ7pR4tY", "sk9fJ2"])
def test_what_looks_random_is_not(text: str) -> None:
    assert not documented(text)


@pytest.mark.parametrize(
    ("token", "bits"), [("", 0.0), ("aaaa", 0.0), ("ab", 1.0), ("abcd", 2.0), ("aabb", 1.0), ("abcdefgh", 3.0)]
)
def test_entropy_in_bits_per_character(token: str, bits: float) -> None:
    assert entropy(token) == pytest.approx(bits)
    assert entropy(token.encode()) == pytest.approx(bits)


@given(st.text(min_size=1, max_size=40))
def test_entropy_is_at_most_that_of_as_many_different_characters(token: str) -> None:
    assert -1e-9 <= entropy(token) <= len(token).bit_length()


@given(st.text(max_size=60))
def test_no_form_raises_whatever_the_text(text: str) -> None:
    for name in (
        "telephone",
        "coordinates",
        "mac",
        "ipv6",
        "ipv4_any",
        "mrz",
        "jwt",
        "basic",
        "password_strict",
        "assigned",
    ):
        assert VALIDATORS[name](text) in ([], [(0, len(text))])


@pytest.mark.parametrize(
    ("token", "bits"),
    [("", 0.0), ("a", 0.0), ("aaaa", 0.0), ("ab", 1.0), ("aabb", 1.0), ("abcd", 2.0), ("aaab", 0.8113)],
)
def test_entropy_by_hand(token: str, bits: float) -> None:
    assert entropy(token) == pytest.approx(bits, abs=1e-4)
    assert entropy(token.encode()) == entropy(token)


@pytest.mark.parametrize("word", DOCUMENTED)
def test_what_stands_in_manuals_is_known_in_every_case_and_place(word: str) -> None:
    assert word == word.lower()
    assert documented(f"q7{word.upper()}z9")


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (f"{WORKING}os.", False),
        (f"a.os.path{WORKING}", False),
        (f"{'q7Rk2V' * 6}7xB9config", False),
        (f"{'q7Rk2V' * 7}config", True),
        (f"GetEnv{WORKING}", False),
        (f"$A{WORKING}", False),
        (f"$7{WORKING}", True),
        (f"%({WORKING}", False),
        (f"[{WORKING}", False),
    ],
)
def test_a_value_that_names_where_a_secret_is_kept_is_none(value: str, right: bool) -> None:
    assert bool(VALIDATORS["assigned"](value)) is right


@given(st.text("ab1Z-", max_size=40))
def test_many_different_characters_are_random_and_so_is_what_is_counted(token: str) -> None:
    told = entropy(token) >= ENTROPY_BITS_MIN
    assert bool(VALIDATORS["secret"](token)) is (told and not documented(token) and token != "")


@given(st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace").decode("latin-1")))
def test_no_token_is_called_random_that_is_not(token: str) -> None:
    assert bool(VALIDATORS["secret"](token)) is (entropy(token) >= ENTROPY_BITS_MIN and not documented(token))
