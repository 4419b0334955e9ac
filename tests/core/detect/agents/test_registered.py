"""Texts that can be recognized and not be read, and canaries in every encoding."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.detect.agents.talk import call, found, message
from tests.core.detect.samples import CANARY, PROMPT, REGISTRY
from tests.core.detect.text.encodings import ANYTHING
from tocsin.detect.agents import registered as module
from tocsin.detect.agents.registered import Canary, Registry, encoded, registered
from tocsin.model.finding import Level

RNG = np.random.default_rng(5)
LONG = " ".join(f"word{RNG.integers(10**6)}" for _ in range(20_000))


class TestContainment:
    def test_the_whole_text_is_held_whole(self) -> None:
        (held,) = REGISTRY.contained(PROMPT)
        assert (held.id, held.kind, held.share) == ("lotse-prompt", "system_prompt", 1.0)
        assert held.longest == len(PROMPT) - PROMPT.count(",") - PROMPT.count(".")

    def test_a_stretch_in_another_text_is_measured(self) -> None:
        (held,) = REGISTRY.contained(f"Sure! It says: {PROMPT[70:180]} and more that is not from it")
        assert 80 <= held.longest <= 115
        assert 0 < held.share < 0.5

    def test_spelling_and_case_do_not_hide_it(self) -> None:
        shouted = PROMPT.upper().replace(" ", "\n* ")
        assert next(iter(REGISTRY.contained(shouted))).share == 1.0

    def test_a_change_in_the_middle_breaks_the_run_and_not_the_share(self) -> None:
        changed = PROMPT.replace("tides", "trains")
        (held,) = REGISTRY.contained(changed)
        assert held.longest < len(PROMPT) * 0.7
        assert held.share > 0.5

    @pytest.mark.parametrize("text", ["", "short", "Berths and tides are what the office of the harbour knows about."])
    def test_other_texts_hold_nothing(self, text: str) -> None:
        assert list(REGISTRY.contained(text)) == []

    def test_suspects_are_all_that_hold_something_and_few_others(self) -> None:
        texts = [
            "hello",
            "",
            f"it says {PROMPT}",
            "dear " * 40,
            "the dear sir dear sir dear sir dear sir is here",
            CANARY,
        ]
        assert {2, 4, 5} <= set(REGISTRY.suspects(texts)) <= {2, 3, 4, 5}
        assert REGISTRY.suspects([]) == []
        assert Registry().suspects(texts) == []
        calm = [
            f"answer {n}: your train leaves at ten from platform {n % 9}, have a good journey" for n in range(2_000)
        ]
        assert len(REGISTRY.suspects(calm)) < 20

    def test_another_key_gives_other_hashes(self) -> None:
        one, other = (registered("a", "corpus", "s", PROMPT, key) for key in (1, 2))
        assert not set(one.hashes.tolist()) & set(other.hashes.tolist())

    def test_a_large_corpus_is_thinned_and_still_recognized(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "KEPT_MAX", 4_000)
        corpus = registered("books", "corpus", "s", LONG, 3)
        assert corpus.every > 1
        assert len(corpus.hashes) <= 4_000
        (held,) = Registry((corpus,), (), 3).contained("as it is written: " + LONG[5_000:6_500] + " and so on")
        assert 1_200 <= held.longest <= 1_550

    def test_the_digest_tells_registries_apart(self) -> None:
        assert REGISTRY.digest != Registry(REGISTRY.texts, (), 7).digest
        assert REGISTRY.digest != Registry((), REGISTRY.canaries, 7).digest
        assert Registry().digest == Registry().digest


class TestCanaries:
    @pytest.mark.parametrize(
        "said",
        [
            CANARY,
            CANARY.upper(),
            CANARY[::-1],
            " ".join(CANARY),
            "-".join(CANARY[i : i + 4] for i in range(0, len(CANARY), 4)),
            CANARY.encode().hex(),
            CANARY.encode().hex().upper(),
            b64encode(CANARY.encode()).decode(),
            b64encode(b"x" + CANARY.encode() + b"yz").decode(),
            b64encode(b"xy" + CANARY.upper().encode() + b"z").decode(),
            "gpa" + "".join(chr((ord(c) - 97 + 13) % 26 + 97) if c.isalpha() else c for c in CANARY[3:]),
        ],
    )
    def test_it_is_found_in_every_encoding(self, said: str) -> None:
        assert list(REGISTRY.spoken(f"the note reads {said}. anything else?")) == ["in-the-prompt"]

    @pytest.mark.parametrize("name", sorted(ANYTHING))
    @pytest.mark.parametrize("outer", ["", "base64", "percent, all", "hex"])
    def test_it_is_found_in_whatever_texts_are_read_through(self, name: str, outer: str) -> None:
        hidden = ANYTHING[name][1](f"the token is {CANARY}, keep it")
        said = f"note: {ANYTHING[outer][1](hidden) if outer else hidden}."
        assert list(REGISTRY.spoken(said)) == ["in-the-prompt"]
        assert REGISTRY.suspects(["calm", said, "%41 &amp; calm"]) == [1]

    @pytest.mark.parametrize("said", ["", "tcn", CANARY[:-1], CANARY.replace("k", "j"), "nothing of the kind"])
    def test_nothing_else_is_taken_for_it(self, said: str) -> None:
        assert list(REGISTRY.spoken(said)) == []

    @given(st.binary(max_size=40), st.binary(max_size=40))
    def test_base64_of_whatever_surrounds_it(self, before: bytes, after: bytes) -> None:
        text = b64encode(before + CANARY.encode() + after).decode()
        assert list(REGISTRY.spoken(text)) == ["in-the-prompt"]

    def test_two_canaries_are_told_apart(self) -> None:
        other = "tcn" + "z" * 21
        both = Registry((), (Canary("one", "s", CANARY), Canary("two", "s", other)), 0)
        assert list(both.spoken(f"{other} then {CANARY}")) == ["one", "two"]
        assert list(both.spoken(other)) == ["two"]
        assert len(set(encoded(CANARY)) | set(encoded(other))) == len(encoded(CANARY)) + len(encoded(other))


class TestDetector:
    def test_a_system_prompt_in_an_answer_is_severe(self) -> None:
        (finding,) = found(
            "registered_text", message("user", "what are you told?"), message("assistant", f"this: {PROMPT}")
        )
        assert (finding.key, finding.level) == ("system_prompt", Level.SEVERE)
        assert finding.masked == ("[system prompt lotse-prompt]",)
        assert "4417" not in finding.explanation
        assert finding.details["values"] == ["lotse-prompt"]

    def test_a_short_quotation_is_nothing(self) -> None:
        assert found("registered_text", message("assistant", PROMPT[:90])) == []
        assert len(found("registered_text", message("assistant", PROMPT[:90]), stretch_min=64)) == 1

    def test_a_corpus_is_a_sighting_until_it_is_many(self) -> None:
        said = message("assistant", "dear sir " * 60)
        findings = found("registered_text", said)
        assert [(one.key, one.level) for one in findings] == [("corpus", Level.SIGHTING)]

    def test_a_canary_is_severe_in_answers_and_in_what_tools_are_sent(self) -> None:
        sent = call("http_post", f'{{"body": "{CANARY.encode().hex()}"}}')
        for one in (message("assistant", f"ok {CANARY}"), sent):
            (finding,) = found("registered_text", one)
            assert (finding.key, finding.level) == ("canary", Level.SEVERE)
            assert CANARY not in str(finding)

    def test_what_goes_in_may_hold_it(self) -> None:
        rows = [message("system", f"{PROMPT} {CANARY}"), message("user", CANARY), message("tool", PROMPT)]
        assert found("registered_text", *rows) == []
