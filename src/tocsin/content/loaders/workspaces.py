"""The example workspaces that ship: being a folder of `content/workspaces/` with a `policy.yaml` is the registration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from tocsin.model.errors import UsageFault


def templates() -> tuple[str, ...]:
    """The names of the templates, sorted."""
    folders = files("tocsin.content").joinpath("workspaces").iterdir()
    return tuple(sorted(folder.name for folder in folders if folder.joinpath("policy.yaml").is_file()))


def template(name: str) -> Mapping[str, bytes]:
    """The template's files: path below the workspace (with `/`) -> bytes. Raises UsageFault with the names there are."""
    if name not in templates():
        raise UsageFault(f"there is no template {name!r}", f"the templates are: {', '.join(templates())}")
    return dict(_below(files("tocsin.content").joinpath("workspaces").joinpath(name), ""))


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _below(item, f"{prefix}{item.name}/")
        else:
            yield f"{prefix}{item.name}", item.read_bytes()
