"""What is normal of a rate or mean at the hour of its window: a `Profile` of one direction, fitted to the reference windows.

The reference is a week for `hour_of_day` and four weeks for `hour_of_week`, and is not read again. Several windows together have the
mean of their limits, each weighing as many rows as it has. Approximate, checked by simulation (`benchmarks/stream_alarms.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tocsin.detect.streams.contrast import Floats, Tallies
from tocsin.detect.streams.profile import Profile, Season, features, windows_needed
from tocsin.detect.streams.reference import BETA, Direction, Normal
from tocsin.model.detector import Setting
from tocsin.model.errors import BadInput, Place

DAY = timedelta(days=1)
SEASONS: dict[str, Season] = {"none": "none", "hour_of_day": "hour_of_day", "hour_of_week": "hour_of_week"}
SAID = {"hour_of_day": "seasonal: the same hour of the day", "hour_of_week": "seasonal: the same hour of the week"}


@dataclass(frozen=True, slots=True)
class Seasonal:
    """A season, and windows of time that divide a day."""

    season: Season
    every: timedelta
    asked: int
    """Windows of reference that were asked for."""

    @property
    def said(self) -> str:
        """The season in words."""
        return SAID[self.season]

    @property
    def needed(self) -> int:
        """Windows of reference."""
        return windows_needed(self.asked, self.season, self.every)

    @property
    def period(self) -> int:
        """Windows of a day or of a week."""
        return (DAY if self.season == "hour_of_day" else 7 * DAY) // self.every

    def after(self, profile: Profile, table: Tallies, start: int, wanted: str) -> Profile:
        """The profile after a window that starts so many microseconds after the epoch; float[2, m], rows and amounts per bucket."""
        if profile.windows >= self.needed:
            return profile
        return profile.after(table[None], self._features(start), wanted, self.needed)

    def normal(self, profile: Profile, start: int, wanted: str) -> Normal | None:
        """What is normal of the window that starts then; None while the reference is being gathered."""
        if profile.windows < self.needed:
            return None
        return profile.normals(self._features(start), wanted, BETA)[0]

    def limit(self, profile: Profile, start: int, wanted: str, direction: Direction, tolerance: float) -> float:
        """The mean limit of all hours of a period, as they stand at this window; the reference must be complete."""
        step = self.every // timedelta(microseconds=1)
        hours = (self.normal(profile, start + n * step, wanted) for n in range(self.period))
        return float(np.mean([hour.limit(direction, tolerance) for hour in hours if hour]))

    def _features(self, start: int) -> Floats:
        return features(start + self.every // timedelta(microseconds=2), self.season, self.every)


def seasonal(setting: Setting) -> Seasonal | None:
    """The season that the parameters ask for.

    Raises:
        BadInput: there is a limit as well, or the windows do not divide a day.
    """
    season, every = SEASONS[str(setting.parameters.get("season", "none"))], setting.windowing.every
    if season == "none":
        return None
    place = Place(f"system {setting.system}", field=f"{setting.id}.season")
    if setting.parameters.get("limit") is not None:
        raise BadInput.at(place, f"{season} says nothing where a limit is set", "leave out the limit or the season")
    if every is None or every >= DAY or DAY % every:
        remedy = (
            "choose windows of time that are shorter than a day and divide it, such as an hour, or leave out the season"
        )
        raise BadInput.at(place, f"{season} needs the same windows in every day", remedy)
    return Seasonal(season, every, int(setting.parameters["windows_of_reference"]))


def together(normals: Sequence[Normal], rows: Floats) -> Normal:
    """What is normal of several windows together; float[n], rows of each."""
    mean, above, below = np.average([(one.mean, one.above, one.below) for one in normals], axis=0, weights=rows)
    return normals[-1]._replace(mean=float(mean), above=float(above), below=float(below))
