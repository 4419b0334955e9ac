"""How good the model is on sources that it was not trained on: by source, by role, by language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from corpus import Row

from tocsin.detect.text.injection import UNTRUSTED, Model

ATTACKS = ("benign", "attacks")
Floats = np.ndarray[Any, np.dtype[np.float64]]


def quantile_threshold(logits: Floats, names: Any, share: float) -> float:
    """The logit that benign texts reach with this share, as the mean over sources of at least 40 texts."""
    known, number = np.unique(names, return_inverse=True)
    size = np.bincount(number)
    counts = size[number] >= min(40, size.max())
    weight = np.where(counts, 1 / (size[number] * (np.bincount(number[counts], minlength=len(known)) > 0).sum()), 0)
    order = np.argsort(-logits)
    above = np.cumsum(weight[order])
    return float(logits[order][min(int(np.searchsorted(above, share, side="right")), len(order) - 1)])


def area(positive: Floats, negative: Floats) -> float:
    """The probability that an attack scores above a benign text; ties count half."""
    order = np.sort(negative)
    above = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(above.mean() / 2 / len(negative))


def found_at(positive: Floats, negative: Floats, share: float) -> float:
    """The share of attacks above what this share of benign texts reaches."""
    return float((positive > np.quantile(negative, 1 - share)).mean())


def probabilities(rows: list[Row], logits: Floats, model: Model, scales: Iterable[tuple[float, float]]) -> Floats:
    """What `score` would say of the out-of-fold logits."""
    best = np.zeros(len(rows))
    for head, (step, b) in enumerate(scales):
        slope, middle = np.array([model.curves[row.role][head] for row in rows]).T
        p = 1 / (1 + np.exp(-np.clip(slope * ((logits[head] - b) / step - middle), -40, 40)))
        best = np.maximum(best, np.where([head == 0 or row.role in UNTRUSTED for row in rows], p, 0))
    return best


def measured(
    rows: list[Row], logits: Floats, model: Model, scales: list[tuple[float, float]], ruled: Any
) -> dict[str, Any]:
    """Tables for the model card: everything out of fold. `ruled` says of each row whether a rule finds something in it."""
    p = probabilities(rows, logits, model, scales)
    bad = np.array([row.attack == 1 or row.request == 1 for row in rows])
    by = {name: np.array([getattr(row, name) for row in rows]) for name in ("source", "role", "family", "language")}
    real = by["source"] != "authored"
    untrusted = np.isin(by["role"], UNTRUSTED)
    return {
        "summary": {
            "published_user": _ability(p, bad & real & ~untrusted, ~bad & real & ~untrusted),
            "published_untrusted": _ability(p, bad & real & untrusted, ~bad & real & untrusted),
            "published": _ability(p, bad & real, ~bad & real),
            "authored_user": _ability(p, bad & ~real & ~untrusted, ~bad & ~real & ~untrusted),
            "authored_untrusted": _ability(p, bad & ~real & untrusted, ~bad & ~real & untrusted),
        },
        "sources": _by("source", by["source"], by["role"], p, bad, real),
        "families": _by("family", by["family"], by["role"], p, bad, ~real),
        "together": _together(p, ruled, by, bad, real),
        "languages": _by("language", by["language"], np.where(untrusted, "untrusted", "user"), p, bad, ~real),
    }


def _ability(p: Floats, positive: Any, negative: Any) -> dict[str, Any]:
    at = {f"found_at_{share:.0%}": round(found_at(p[positive], p[negative], share), 3) for share in (0.01, 0.05)}
    area_ = round(area(p[positive], p[negative]), 3)
    flagged = {"attacks_flagged": round(float((p[positive] >= 0.5).mean()), 3)}
    alarms = {"benign_flagged": round(float((p[negative] >= 0.5).mean()), 4)}
    return {"attacks": int(positive.sum()), "benign": int(negative.sum()), "auc": area_, **at, **flagged, **alarms}


def _together(p: Floats, ruled: Any, by: dict[str, Any], bad: Any, chosen: Any) -> list[dict[str, Any]]:
    """The shares of attacks and of benign texts of each source that rules find, and rules or the model from 0.5 and from 0.9 on."""
    lines = []
    for name, role, attacks in sorted(set(zip(by["source"][chosen], by["role"][chosen], bad[chosen], strict=True))):
        own = chosen & (by["source"] == name) & (by["role"] == role) & (bad == attacks)
        line = {"source": str(name), "role": str(role), "texts": int(own.sum()), "are": ATTACKS[int(attacks)]}
        told = {"rules": ruled, "rules_or_half": ruled | (p >= 0.5), "rules_or_nine_tenths": ruled | (p >= 0.9)}
        lines.append(line | {key: round(float(found[own].mean()), 4) for key, found in told.items()})
    return lines


def _by(key: str, names: Any, roles: Any, p: Floats, bad: Any, chosen: Any) -> list[dict[str, Any]]:
    lines = []
    for name, role in sorted(set(zip(names[chosen], roles[chosen], strict=True))):
        own = chosen & (names == name) & (roles == role)
        attacks, benign = own & bad, own & ~bad
        line: dict[str, Any] = {
            key: str(name),
            "role": str(role),
            "attacks": int(attacks.sum()),
            "benign": int(benign.sum()),
        }
        line["attacks_flagged"] = round(float((p[attacks] >= 0.5).mean()), 3) if attacks.any() else None
        line["benign_flagged"] = round(float((p[benign] >= 0.5).mean()), 4) if benign.any() else None
        lines.append(line)
    return lines
