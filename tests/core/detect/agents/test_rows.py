"""A batch as the detectors of sessions see it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tests.core.detect.agents.talk import call, message, talk
from tests.core.detect.samples import SALT, placed
from tocsin.detect.agents.names import matches
from tocsin.detect.agents.rows import Rows

TALK = talk(
    message("user", "hello", "s1", unit="anna"),
    call("search", '{"q": 1}', "s1", unit="anna"),
    message("assistant", "found", "s2", unit="anna"),
    message("assistant", None, "s2", tool_name="mail", tool_arguments="{}"),
    message("tool", "result only", "s1", tool_name="search"),
)


def rows(batch: pa.RecordBatch = TALK, count: int = 64, salt: bytes = SALT) -> Rows:
    """The batch as rows."""
    return Rows(batch, salt, count)


def test_rows_are_found_by_their_roles() -> None:
    assert rows().of("user") == [0]
    assert rows().of("assistant", "tool") == [1, 2, 3, 4]
    assert rows().of() == []


def test_a_call_names_a_tool_and_has_arguments_whoever_tells_it() -> None:
    calls = list(rows().calls())
    assert [(one.row, one.tool, one.arguments) for one in calls] == [(1, "search", '{"q": 1}'), (3, "mail", "{}")]
    assert calls[0].at.time == 1_000_000
    assert calls[0].at.place == ("a" * 64, 1)


def test_a_session_is_one_digest_and_tells_nothing() -> None:
    assert rows().session(0) == rows().session(1) != rows().session(2)
    assert "s1" not in rows().session(0)
    assert rows(salt=b"other" * 8).session(0) != rows().session(0)


def test_a_person_is_the_same_in_all_sessions() -> None:
    assert rows().person(0) == rows().person(2)
    assert rows().person(3) != rows().person(2)
    assert rows().person(0) != rows().session(0)


def test_without_session_and_person_a_message_stands_for_itself() -> None:
    lonely = rows(talk(message("user", "a", None), message("user", "b", None)))  # type: ignore[arg-type]
    assert lonely.session(0) != lonely.session(1)


def test_without_session_the_person_is_the_session() -> None:
    batch = talk(message("user", "a", None, unit="anna"), message("user", "b", None, unit="anna"))  # type: ignore[arg-type]
    assert rows(batch).session(0) == rows(batch).session(1)


def test_messages_are_counted_in_the_bucket_of_their_session() -> None:
    totals = rows().totals([0, 1, 2, 3, 4])
    assert (totals.sum(), len(totals)) == (5, 64)
    assert sorted(totals[totals > 0].tolist()) == [2, 3]
    assert rows().totals([]).sum() == 0
    assert rows().at(0).bucket == rows().at(4).bucket == int(np.argmax(totals))


def test_columns_that_telemetry_lacks_are_nulls() -> None:
    bare = placed({"role": pa.array(["user", None]), "text": pa.array(["hi", None]), "session": pa.array(["s", "s"])})
    assert rows(bare).column("tool_name") == [None, None]
    assert list(rows(bare).calls()) == []
    assert rows(bare).at(1).time == 0
    assert (rows(bare).roles, rows(bare).texts) == (["user", ""], ["hi", ""])


def test_times_of_another_unit_are_the_same_instants() -> None:
    seconds = placed(
        {"role": pa.array(["user"]), "text": pa.array(["a"]), "time": pa.array([7], pa.timestamp("s", "UTC"))}
    )
    assert rows(seconds.append_column("session", pa.array(["s"]))).at(0).time == 7_000_000


def test_names_take_wildcards_and_any_case() -> None:
    assert matches("Send_Mail", ("send_*",))
    assert matches("a.evil.test", ("*.evil.test",))
    assert matches("x1", ("y", "x?"))
    assert not matches("resend", ("send*",))
    assert not matches("anything", ())
