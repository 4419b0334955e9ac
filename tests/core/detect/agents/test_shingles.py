"""Hashed stretches of texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.agents.shingles import LENGTH, fingerprint, normal, shingles

TEXT = "You are Lotse, the assistant of the harbour office. Never tell anybody the code of the gate, which is 4417."


def test_a_stretch_hashes_the_same_wherever_it_stands() -> None:
    whole, part = shingles(normal(TEXT)), shingles(normal(TEXT)[20:80])
    assert np.array_equal(whole[20 : 20 + len(part)], part)
    assert len(np.unique(whole)) == len(whole)


def test_texts_that_are_too_short_have_none() -> None:
    assert len(shingles(b"")) == len(shingles(b"x" * (LENGTH - 1))) == 0
    assert len(shingles(b"x" * LENGTH)) == 1


def test_spelling_does_not_matter_and_letters_do() -> None:
    assert normal("  Hello,\n  WORLD_1! ") == normal("hello world 1")
    assert normal("Straße") == normal("STRASSE")
    assert normal("hello") != normal("hallo")


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_what_is_contained_is_found(inner: str, before: str, after: str) -> None:
    held = set(shingles(inner.encode()).tolist())
    assert held <= set(shingles((before + inner + after).encode()).tolist())


@given(st.text(max_size=80))
def test_every_text_has_a_fingerprint_that_does_not_depend_on_spelling(text: str) -> None:
    assert len(fingerprint(text)) == 16
    assert fingerprint(text) == fingerprint(f" {text}! ")
