"""What a drift detector looks at: one key per row, and the words in which people speak of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.drifting.keys import MISSING, Whole, of_numbers, of_text, of_texts
from tocsin.detect.streams.measure import flag, numbers
from tocsin.model.telemetry import Table


class Values(NamedTuple):
    """Keys, the row of each (a row may have several, or none), and the texts behind the keys where they are texts."""

    rows: Whole
    keys: Whole
    names: Mapping[int, str] = {}

    @staticmethod
    def of_rows(keys: Whole, names: Mapping[int, str] | None = None) -> Values:
        """One key for each row."""
        return Values(np.arange(len(keys)), keys, names or {})

    def where(self, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Values:
        """The keys of these rows only."""
        kept = chosen[self.rows]
        return Values(self.rows[kept], self.keys[kept], self.names)


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at, and its words."""

    name: str
    table: Table
    columns: Callable[[Mapping[str, Any]], tuple[str, ...]]
    values: Callable[[pa.RecordBatch, Mapping[str, Any]], Values]
    ordered: Callable[[Mapping[str, Any]], bool]
    subject: Callable[[Mapping[str, Any]], str]
    """What moves, in words: the column."""
    harm: str
    blind_spots: tuple[str, ...]
    next_steps: tuple[str, ...]
    tags: tuple[str, ...] = ("nist.ai_rmf.MEASURE-2.4",)


HIDDEN = (
    "A change that was there during the first windows is taken for normal.",
    "What moves with the hour or the weekday is a change: give the reference a season.",
)
DRIFT_STEPS = (
    "Ask whoever supplies the column what changed on that date: a source, a unit, a release, a campaign?",
    "Compare performance with labels before and after that date: drift by itself does no harm.",
    "If the new mixture is right, adopt it: change a setting of the detector, and the reference begins anew.",
)


def of_categories(values: pa.DictionaryArray) -> tuple[Whole, dict[int, str]]:
    """The key of each text and, for display, the text behind each key that occurs."""
    keys = of_texts(values)
    used = set(np.unique(keys[keys != MISSING]).tolist())
    named = ((of_text(text), text) for text in values.dictionary.to_pylist() if text is not None)
    return keys, {key: text for key, text in named if key in used}


def of_scores(batch: pa.RecordBatch, column: str) -> Values:
    """The key of each number of a column."""
    known, number = numbers(batch, column)
    return Values.of_rows(of_numbers(np.where(known, number, np.nan)))


def of_flags(batch: pa.RecordBatch, column: str) -> Values:
    """The key of each flag of a column; rows without one do not count: labels are late."""
    known, true = flag(batch, column)
    names = {of_text(word): word for word in ("false", "true")}
    table = np.array(list(names), np.int64)
    return Values.of_rows(table[true.astype(np.int64)], names).where(known)
