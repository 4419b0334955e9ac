"""Registration is being in the folder: the only discovery code there is.

Built-ins are the modules of a package (`tocsin.detect.detectors`, `tocsin.adapters.telemetry.readers`, ...); extensions of other
distributions come from the entry-point group of the same name. Both go through the same door.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from tocsin.model.detector import DetectorKind


@lru_cache
def declared(package: str, attribute: str) -> dict[str, Any]:
    """What each module of `package` declares as `attribute`, by its `name`, with entry points of group `package` after them.

    A module that starts with an underscore is not a declaration.
    """
    found = [
        getattr(importlib.import_module(f"{package}.{module.name}"), attribute)
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__)
        if not module.name.startswith("_")
    ]
    found += [point.load() for point in entry_points(group=package)]
    return {item.name: item for item in found}


def detector_kinds() -> dict[str, DetectorKind]:
    """Every kind of detector by name."""
    return declared("tocsin.detect.detectors", "DETECTOR")
