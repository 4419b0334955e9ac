"""The package itself: it takes what people have in memory, and importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import tocsin
from tocsin.detect.comparing.effects import Verdict
from tocsin.model.errors import BadInput, UsageFault


class Streamed:
    """A frame of a library that hands its memory over by Arrow's interface, as Polars and pandas do."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def loans(seed: int, gap: float = 0.0) -> dict[str, Any]:
    g = np.random.default_rng(seed)
    sex = g.choice(["f", "m"], 4_000)
    approved = g.random(4_000) < 0.6 - gap * (sex == "f")
    return {"approved": approved, "sex": sex, "income": g.lognormal(10, 1, 4_000)}


def test_three_lines_find_a_gap() -> None:
    found = tocsin.compare(loans(1), loans(2, 0.3), decision="approved", group="sex")
    about = {(e.about, e.measure) for e in found.beyond}
    assert ("sex: m over f", "gap in positive decisions") in about
    assert all(e.verdict is Verdict.BEYOND for e in found.beyond)
    assert found.reference.name == "reference"


@pytest.mark.parametrize("kind", [pa.table, lambda rows: Streamed(pa.table(rows)), dict])
def test_every_kind_of_frame_gives_the_same_counts(kind: Any) -> None:
    found = tocsin.compare(kind(loans(1)), kind(loans(2)), decision="approved", group=["sex"])
    wanted = tocsin.compare(loans(1), loans(2), decision="approved", group="sex")
    assert found == wanted


def test_frames_of_pandas_and_polars() -> None:
    wanted = tocsin.compare(loans(1), loans(2), decision="approved")
    for library in ("pandas", "polars"):
        frames = pytest.importorskip(library)
        found = tocsin.compare(frames.DataFrame(loans(1)), frames.DataFrame(loans(2)), decision="approved")
        assert [e.value for e in found.effects()] == [e.value for e in wanted.effects()]


def test_a_file_and_a_frame_may_be_mixed(tmp_path: Any) -> None:
    path = tmp_path / "ref.csv"
    path.write_text("x,y\n" + "".join(f"{i},a\n" for i in range(100)))
    found = tocsin.compare(str(path), {"x": [float(i) for i in range(100)], "y": ["a"] * 100})
    assert found.reference.name == str(path)
    assert {e.value for e in found.effects()} == {0.0}


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(UsageFault, match=r"the reference is a int.*give a pandas, Polars or Arrow frame"):
        tocsin.compare(3, loans(1))
    with pytest.raises(UsageFault, match="--label: the reference has no column 'x'"):
        tocsin.compare(loans(1), loans(2), label="x")
    with pytest.raises(BadInput, match="neither yes nor no"):
        tocsin.compare(loans(1), loans(2), decision="sex")


def test_texts_are_scanned_and_masked() -> None:
    card, plain = tocsin.scan(["my card is 4111 1111 1111 1111", "good morning"], roles=["user", "assistant"])
    assert [one.entity for one in card.findings] == ["CREDIT_CARD"]
    assert (plain.findings, set(plain.scores)) == ((), {"prompt_injection"})
    assert tocsin.redact(["write to a@b.eu"]) == ["write to [e-mail address at ***.eu]"]
    with pytest.raises(UsageFault, match="no role 'boss'"):
        tocsin.redact(["x"], roles="boss")


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, tocsin; print(sorted(m for m in sys.modules if m.split('.')[0] in ('numpy', 'pyarrow') or 'tocsin.' in m))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
