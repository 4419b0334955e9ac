"""Duplicates: how often a row repeats another one of the same window."""

from __future__ import annotations

from typing import cast

import numpy as np
import pyarrow as pa

from tocsin.detect.streams import repeats
from tocsin.detect.streams.buckets import contents
from tocsin.detect.streams.converted import Form, kind
from tocsin.detect.streams.measure import Amounts, Measure
from tocsin.detect.streams.repeats import Repeats
from tocsin.detect.streams.watch import Watch, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _observe(batch: pa.RecordBatch, watch: Watch) -> Repeats:
    return repeats.counted(contents(batch, cast("list[str]", watch.get("columns")), watch.setting.salt), batch)


FORM = Form(
    (),
    _observe,
    repeats.merged,
    repeats.to_bytes,
    repeats.from_bytes,
    lambda state, watch: repeats.counts(state, watch.buckets),
)

MEASURE = Measure(
    name="duplicates",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="share of repeated rows",
    columns=lambda parameters: tuple(cast("list[str]", parameters["columns"])),
    amounts=lambda batch, _: Amounts(np.ones(batch.num_rows, bool), np.zeros(batch.num_rows)),
    harm="What is counted twice weighs twice, in every figure and in the next training.",
    blind_spots=(
        "A row that repeats one of an earlier window is not seen: take longer windows.",
        "Rows that differ in the last digit are different rows.",
        "Of windows with more than 2,048 different rows a sample is counted, chosen by hash.",
        "A row with the id of an earlier one never gets this far: it is put into quarantine.",
    ),
    next_steps=(
        "Look at retries and at files that were sent twice at that time.",
        "Compare the rows of the sample with their copies.",
    ),
)

DETECTOR = kind(
    MEASURE,
    FORM,
    "Duplicates",
    "An alarm says: rows repeat each other more often than the limit or the stream's own past allows.",
    limit_of("the share of rows that may repeat another one of their window"),
    Parameter("columns", list, None, "the columns whose values make a row", column="any", low=1, required=True),
    sources=("Cohen & Kaplan, Summarizing Data using Bottom-k Sketches, PODC 2007",),
)
