"""Libraries of law other than the one that is installed: a folder, an older installation, a wheel, or a kept copy."""

from __future__ import annotations

import io
import zipfile
from importlib.resources.abc import Traversable
from pathlib import Path

from tocsin.content.loaders import law
from tocsin.content.loaders.shipped import SHIPPED, names
from tocsin.law.regime import Library
from tocsin.model.errors import BadInput, Place, UsageFault

MARK = "places.yaml"
"""The file by which a library's folder is known."""
INSIDE = (
    "",
    "law",
    "content/law",
    "tocsin/content/law",
    "src/tocsin/content/law",
    "Lib/site-packages/tocsin/content/law",
)
"""Where a library may lie below what somebody names: itself, a package, a checkout, a virtual environment."""
ENVIRONMENTS = "lib/python3.*/site-packages/tocsin/content/law"
ARCHIVES = (".whl", ".zip")


def at(path: Path) -> Library:
    """The library in the folder, installation, checkout or wheel.

    Raises:
        UsageFault: there is none.
        BadInput: it cannot be read by this version, with every mistake.
    """
    return law.load.__wrapped__(root(path))


def root(path: Path) -> Traversable:
    """Where in the folder, installation, checkout or wheel the library lies. Raises UsageFault if it holds none."""
    roots: list[Traversable] = [path / part for part in INSIDE]
    if path.is_file():
        whole = zipfile.Path(path) if path.suffix in ARCHIVES and zipfile.is_zipfile(path) else None
        roots = [whole.joinpath(part) if part else whole for part in INSIDE] if whole else []
    else:
        roots += sorted(path.glob(ENVIRONMENTS))
    found = next((root for root in roots if root.joinpath(MARK).is_file()), None)
    if found is None:
        what = f"name a folder with {MARK} and packs, a wheel of Tocsin, or a virtual environment that has it"
        raise UsageFault(f"{path} holds no library of law", what)
    return found


def packed(source: Traversable = SHIPPED) -> bytes:
    """The library as an archive from which the same library is read again; the same bytes each time."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names(source):
            archive.writestr(zipfile.ZipInfo(name), source.joinpath(name).read_bytes(), zipfile.ZIP_DEFLATED)
    return data.getvalue()


def kept(path: Path, digest: str) -> Library:
    """The library in a kept copy that is named by its digest. Raises BadInput if something else is in it."""
    library = at(path)
    if library.digest != digest:
        raise BadInput.at(
            Place(str(path)), f"the packs in it have the digest {library.digest[:16]}", "it was changed; remove it"
        )
    return library
