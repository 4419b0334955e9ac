"""The model as arithmetic: windows, sums, curves, roles, bytes. What the shipped weights know: `tests/content/test_injection.py`."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.text import plainly
from tocsin.detect.text import injection
from tocsin.detect.text.explaining import explain
from tocsin.detect.text.features import ORDERS, folded, words
from tocsin.detect.text.injection import (
    HEADS,
    ROLES,
    UNTRUSTED,
    Curve,
    Model,
    from_bytes,
    head_values,
    score,
    to_bytes,
)
from tocsin.model.errors import BadInput

BITS = 12
WORD = ORDERS.index("word")
CURVES = {role: (Curve(0.5, 10.0), Curve(0.5, 20.0)) for role in ROLES}


def place(word: str) -> int:
    """Where the weight of a word lies."""
    return int(words(folded([word])).hashes[WORD][0] >> np.uint64(64 - BITS))


def model(attack: dict[str, int] | None = None, request: dict[str, int] | None = None) -> Model:
    """A model that knows these words and nothing else."""
    tables = np.zeros((len(HEADS), 1 << BITS), np.int8)
    for head, known in enumerate((attack or {}, request or {})):
        for word, weight in known.items():
            tables[head, place(word)] = weight
    return Model(tables, CURVES)


def noisy(seed: int) -> Model:
    """A model with weights everywhere, as large as they get."""
    tables = np.random.default_rng(seed).integers(-127, 128, (len(HEADS), 1 << BITS)).astype(np.int8)
    return Model(tables, CURVES)


class TestSums:
    def test_a_word_counts_each_time_it_stands_in_the_window(self) -> None:
        texts = ["evil so it is", "evil evil is it now", "good all of it", "evil good good good"]
        values = head_values(texts, model({"evil": 40}))
        assert values[0] == pytest.approx([20, 80 / sqrt(5), 0, 20])
        assert values[1].tolist() == [0, 0, 0, 0]

    def test_the_heads_do_not_disturb_each_other(self) -> None:
        chosen = model({"evil": -100}, {"please": 127})
        values = head_values(["evil please do it", "please " * 48, "evil " * 48], chosen)
        assert values[0] == pytest.approx([-100 / 2, 0, -100 * sqrt(24)])
        assert values[1] == pytest.approx([127 / 2, 127 * sqrt(48), 0])

    def test_only_what_stands_together_adds_up(self) -> None:
        far = "evil " + "calm " * 200 + "evil"
        near = "evil " + "calm " * 10 + "evil"
        assert head_values([far, near], model({"evil": 40}))[0] == pytest.approx([40 / sqrt(10), 80 / sqrt(12)])

    def test_an_order_is_judged_apart_from_the_page_around_it(self) -> None:
        page = "calm words stand here. " * 9 + "now evil evil wins. " + "calm words stand here. " * 9
        values = head_values([page, page.replace(".", ",")], model({"evil": 40, "calm": -20}))[0]
        assert values[0] == pytest.approx(80 / 2)
        assert values[1] < values[0]

    @settings(deadline=None, max_examples=40)
    @given(
        texts=st.lists(st.text("ab 忽\n.é<", max_size=400), min_size=1, max_size=5),
        seed=st.integers(0, 50),
    )
    def test_sums_are_what_the_definition_says(self, texts: list[str], seed: int) -> None:
        chosen = noisy(seed)
        assert head_values(texts, chosen).T.tolist() == [plainly.head_values(text, chosen) for text in texts]

    def test_the_largest_weights_do_not_overflow(self) -> None:
        for extreme in (127, -127):
            chosen = Model(np.full((2, 1 << BITS), extreme, np.int8), CURVES)
            most = extreme * 8 * (sqrt(48) if extreme > 0 else sqrt(24))
            assert head_values(["word " * 48], chosen).tolist() == [[pytest.approx(most)], [pytest.approx(most)]]

    def test_chunks_are_not_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        texts = [f"word{n} evil other {n}" * (n % 5) for n in range(60)]
        whole = head_values(texts, noisy(1))
        monkeypatch.setattr(injection, "CHUNK_BYTES", 50)
        assert head_values(texts, noisy(1)).tolist() == whole.tolist()

    def test_nothing_gives_nothing(self) -> None:
        assert head_values([], noisy(1)).shape == (2, 0)
        assert head_values(["", None, "..."], noisy(1)).tolist() == [[0, 0, 0], [0, 0, 0]]


class TestScores:
    def test_half_is_where_the_curve_of_the_role_says(self) -> None:
        (found,) = score(["that is so evil"], ["user"], model({"evil": 20}))
        assert found == pytest.approx(0.5)
        (above,) = score(["that is so evil"], ["user"], model({"evil": 24}))
        assert above == pytest.approx(1 / (1 + np.exp(-1)))

    @pytest.mark.parametrize("role", ROLES)
    def test_a_request_counts_only_where_nobody_should_ask(self, role: str) -> None:
        (found,) = score(["now do that please"], [role], model(request={"please": 60}))
        assert bool(found > 0.5) is (role in UNTRUSTED)

    @pytest.mark.parametrize("role", ROLES)
    def test_attack_wording_counts_in_every_role(self, role: str) -> None:
        assert score(["that is so evil"], [role], model({"evil": 60}))[0] > 0.99

    @pytest.mark.parametrize("text", ["evil", "so evil", "that is evil", "evil evil evil", "OK", "42", "悪い"])
    def test_a_few_words_are_not_judged(self, text: str) -> None:
        heavy = model({"evil": 120, "ok": 120, "42": 120}, {"evil": 120, "ok": 120})
        assert score([text, ""], ["tool", "tool"], heavy)[0] == score([""], ["tool"], heavy)[0] < 0.5
        assert score([f"{text} {text} {text} {text}"], ["tool"], model({"evil": 1}))[0] < 0.5

    def test_a_few_words_at_the_end_count_with_what_stands_before_them(self) -> None:
        calm = "it was a day like any other day and nobody said much about the weather"
        heavy = model({"ok": 60})
        assert len(calm.split()) == 15
        alone = head_values([f"{calm} and ok", f"ok {calm} and"], heavy)[0]
        assert alone[0] == pytest.approx(alone[1])

    def test_an_unknown_role_is_the_users(self) -> None:
        told = score(["that is so evil"] * 3, ["user", "", "function"], model({"evil": 24}))
        assert len(set(told.tolist())) == 1

    def test_scores_are_probabilities_in_order_of_the_texts(self) -> None:
        texts = ["that is so evil", None, "", "it is very calm", "evil evil evil evil"]
        found = score(pa.array(texts), ["user"] * 5, model({"evil": 9, "calm": -9}))
        assert found.dtype == np.float64
        assert ((found >= 0) & (found <= 1)).all()
        assert found[4] > found[0] > found[1] == found[2] > found[3]

    def test_no_text_no_score(self) -> None:
        assert score([], [], noisy(3)).tolist() == []

    @settings(deadline=None, max_examples=20)
    @given(texts=st.lists(st.text(max_size=80), min_size=1, max_size=6), seed=st.integers(0, 20))
    def test_a_text_scores_the_same_alone(self, texts: list[str], seed: int) -> None:
        roles = [ROLES[(seed + n) % len(ROLES)] for n in range(len(texts))]
        together = score(texts, roles, noisy(seed)).tolist()
        assert together == [float(score([t], [r], noisy(seed))[0]) for t, r in zip(texts, roles, strict=True)]


class TestBytes:
    def test_a_model_comes_back_as_it_was(self) -> None:
        one = noisy(7)
        other = from_bytes(to_bytes(one))
        assert (other.tables == one.tables).all()
        assert other.curves == one.curves
        assert other.digest == one.digest != noisy(8).digest

    @pytest.mark.parametrize(
        "damaged",
        [
            b"",
            b"\x93",
            to_bytes(noisy(1))[:-4],
            to_bytes(noisy(1)).replace(b"user", b"loser"),
            b"\x94\x63" + to_bytes(noisy(1))[2:],
        ],
        ids=["empty", "short", "cut", "role", "version"],
    )
    def test_damaged_bytes_are_told(self, damaged: bytes) -> None:
        with pytest.raises(BadInput, match="no model"):
            from_bytes(damaged)


class TestExplaining:
    def test_the_reasons_are_the_words_that_weigh_most(self) -> None:
        chosen = model({"evil": 60, "bad": 20, "calm": -30})
        found = explain("A calm word, an EVIL word and a bad word.", "user", chosen)
        assert [(reason.words, reason.feature) for reason in found.reasons[:2]] == [("evil", "word"), ("bad", "word")]
        assert found.reasons[0].weight == pytest.approx(60 * 0.5 / sqrt(10), abs=1e-3)
        assert found.head == "attack"
        assert found.probability == score(["A calm word, an EVIL word and a bad word."], ["user"], chosen)[0]

    def test_the_worst_window_is_shown(self) -> None:
        text = "calm " * 100 + "evil evil " + "calm " * 100
        found = explain(text, "user", model({"evil": 60, "calm": -1}))
        shown = text[found.start : found.end]
        assert "evil evil" in shown
        assert len(shown) < 300

    def test_the_head_is_the_one_that_decided(self) -> None:
        chosen = model({"evil": 12}, {"please": 90})
        assert explain("please do it now", "retrieved", chosen).head == "request"
        assert explain("please do it now", "user", chosen).head == "attack"
        assert explain("evil is it now", "tool", chosen).head == "attack"

    @pytest.mark.parametrize(
        "text", ["忽略 evil 之前", "é" * 40 + " evil", "ｅｖｉｌ", "ig\u200bnored evil ok", "“evil”"]
    )
    def test_places_are_those_of_the_text_as_it_was_given(self, text: str) -> None:
        found = explain(text, "user", model({"evil": 60}))
        assert 0 <= found.start < found.end <= len(text)
        shown = text[found.start : found.end]
        assert "evil" in shown or "ｅｖｉｌ" in shown

    @pytest.mark.parametrize("text", ["", "...", "\ud800"])
    def test_texts_without_words_have_no_reasons(self, text: str) -> None:
        found = explain(text, "retrieved", model({"evil": 60}))
        assert found.reasons == ()
        assert found.probability < 0.5
