"""What is installed by default is permissive."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

from tests.house.sources import ROOT

PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Unlicense|0BSD|Zlib|MPL-2.0 AND \(Apache", re.IGNORECASE
)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|EUPL|SSPL|BUSL)|Affero|GNU (Lesser )?General", re.IGNORECASE)

ALLOWED = {"python-stdnum"}
"""LGPL-2.1-or-later, imported as a library and not part of Tocsin; docs/decisions/0006-text-patterns.md says why."""


def _licence(name: str) -> str | None:
    try:
        data = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = [value for value in data.get_all("Classifier") or [] if value.startswith("License ::")]
    text = data.get("License") or ""
    return "; ".join([data.get("License-Expression") or "", text[:60], *classifiers])


def _default_packages() -> set[str]:
    """Names of everything that the lock installs without the development group."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages = {package["name"]: package for package in lock["package"]}
    wanted, found = ["tocsin"], set()
    while wanted:
        name = wanted.pop()
        for dependency in packages[name].get("dependencies", []):
            if dependency["name"] not in found:
                found.add(dependency["name"])
                wanted.append(dependency["name"])
    return found


def test_default_dependencies_are_permissive() -> None:
    licences = {name: _licence(name) for name in _default_packages()}
    installed = {name: text for name, text in licences.items() if text is not None}
    assert len(installed) >= 15
    bad = {name: text for name, text in installed.items() if COPYLEFT.search(text) or not PERMISSIVE.search(text)}
    assert set(bad) == ALLOWED
