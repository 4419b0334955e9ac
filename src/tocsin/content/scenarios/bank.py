"""A bank's credit model: applications hour by hour. Release 2.3.0 reads part-time contracts as risk and turns unfair to women.

Every applicant has one creditworthiness, drawn alike for women and men. The model sees it with noise. From `UNFAIR` on it
subtracts a penalty where the contract is part-time, which is common among women and rare among men. A senior underwriter takes a
second look at a sample of the applications, blind to the model's answer: that is the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

UNFAIR = "2.3.0"
ROWS_AT_NOON = 900
APPLICANTS = 40_000
SECOND_LOOK_SHARE = 0.3
PART_TIME_SHARE = {"female": 0.45, "male": 0.08}
PENALTY = 1.15
AGE_BANDS = ("18-29", "30-59", "60+")
AGE_SHARES = (0.27, 0.58, 0.15)


class Release(NamedTuple):
    """A version of the model and the instant from which it answers."""

    version: str
    live_from: datetime


def applications(seed: int, hour: datetime, releases: Sequence[Release]) -> pa.Table:
    """The applications decided in the hour that begins at `hour`; the same arguments give the same rows.

    Columns: application_id, decided_at, applicant_id, model_version, sex, age_band, income_eur, part_time, score, approved,
    second_look (null where no underwriter looked).
    """
    rng = np.random.default_rng([seed, int(hour.timestamp()) // 3600])
    count = int(ROWS_AT_NOON * _busy(hour) * rng.uniform(0.92, 1.08))
    applicant = rng.integers(0, APPLICANTS, count)
    person = _people(seed)
    sex, age, worth = person.sex[applicant], person.age[applicant], person.worth[applicant]
    part_time = person.part_time[applicant]
    offsets = np.sort(rng.integers(0, 3_600_000, count))
    versions = np.array([_version(releases, hour + timedelta(milliseconds=int(ms))) for ms in offsets])
    seen = worth + rng.normal(0, 0.35, count) - np.where((versions == UNFAIR) & part_time, PENALTY, 0.0)
    looked = rng.random(count) < SECOND_LOOK_SHARE
    second = worth + rng.normal(0, 0.25, count) > 0
    return pa.table(
        {
            "application_id": [f"A{int(hour.timestamp()) // 3600}-{number:05d}" for number in range(count)],
            "decided_at": [
                (hour + timedelta(milliseconds=int(ms))).isoformat(timespec="milliseconds") for ms in offsets
            ],
            "applicant_id": [f"P{number:06d}" for number in applicant],
            "model_version": versions,
            "sex": sex,
            "age_band": age,
            "income_eur": np.round(np.exp(10.4 + 0.35 * worth + rng.normal(0, 0.25, count)), -2),
            "part_time": part_time.astype(np.int8),
            "score": np.round(1 / (1 + np.exp(-1.7 * seen)), 4),
            "approved": seen > 0,
            "second_look": pa.array(second, mask=~looked),
        }
    )


class _People(NamedTuple):
    sex: np.ndarray
    age: np.ndarray
    worth: np.ndarray
    part_time: np.ndarray


@lru_cache
def _people(seed: int) -> _People:
    """The population that applies: attributes stay with the person over all applications."""
    rng = np.random.default_rng([seed, 1])
    sex = np.where(rng.random(APPLICANTS) < 0.48, "female", "male")
    age = rng.choice(np.array(AGE_BANDS), APPLICANTS, p=AGE_SHARES)
    worth = rng.normal(0.3, 1.0, APPLICANTS)
    share = np.where(sex == "female", PART_TIME_SHARE["female"], PART_TIME_SHARE["male"])
    return _People(sex, age, worth, rng.random(APPLICANTS) < share)


def _busy(hour: datetime) -> float:
    """Traffic relative to noon: quiet at night, half on Sundays."""
    by_day = 0.12 + 0.88 * max(0.0, float(np.sin(np.pi * (hour.hour - 5) / 17))) if 5 <= hour.hour <= 22 else 0.12
    return by_day * (0.5 if hour.weekday() == 6 else 1.0)


def _version(releases: Sequence[Release], at: datetime) -> str:
    return max((release for release in releases if release.live_from <= at), key=lambda r: r.live_from).version
