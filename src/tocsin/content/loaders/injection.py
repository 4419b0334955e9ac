"""The shipped injection model and its card: `content/models/injection/`, made by `tools/injection/train.py`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import msgspec

from tocsin.detect.text.injection import Model, from_bytes
from tocsin.model.errors import BadInput, Place

FOLDER = files("tocsin.content").joinpath("models", "injection")


@lru_cache
def load() -> Model:
    """The model. Raises BadInput when its bytes are not those that the card names."""
    return checked(FOLDER.joinpath("model.bin").read_bytes(), card())


@lru_cache
def card() -> Mapping[str, Any]:
    """What it was made of and what was measured."""
    return dict(msgspec.json.decode(FOLDER.joinpath("card.json").read_bytes()))


def checked(data: bytes, told: Mapping[str, Any]) -> Model:
    """The model in these bytes, which must have the digest that the card tells. Raises BadInput."""
    found = sha256(data).hexdigest()
    if found != told["digest"]:
        wrong = f"the digest of the weights is {found[:16]}, the card tells {told['digest'][:16]}"
        raise BadInput.at(Place("models/injection/model.bin"), wrong, "install the package again")
    return from_bytes(data)
