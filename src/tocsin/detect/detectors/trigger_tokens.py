"""Trigger tokens: values or words whose rows have an outcome far more often than they had: a backdoor in labels or in the model."""

from __future__ import annotations

from tocsin.detect.streams.bound import GUARANTEE
from tocsin.detect.streams.triggers import BLIND_SPOTS, TriggerWatch
from tocsin.model.detector import DetectorKind, Parameter
from tocsin.model.finding import Category

DETECTOR = DetectorKind(
    name="trigger_tokens",
    title="Trigger tokens",
    category=Category.ADVERSARIAL_ATTACK,
    table="predictions",
    parameters=(
        Parameter("columns", list, None, "the columns whose values are looked at", column="any", low=1, required=True),
        Parameter("outcome", str, "label", "which outcome a trigger would bring about", ("label", "decision")),
        Parameter("words", bool, False, "whether the words of the columns are looked at, not their whole values"),
        Parameter("tolerance", float, 0.15, "so much beyond what is normal is accepted, as a share", low=0, high=0.9),
        Parameter("windows_of_reference", int, 20, "windows that say what is normal", low=5),
        *GUARANTEE,
    ),
    claims=(
        "An alarm says: in the traffic served, rows with the token have the outcome more often than at first, beyond the tolerance. "
        "All tokens together have the guarantee of one. Formula: see `streams/triggers.py`."
    ),
    blind_spots=BLIND_SPOTS,
    sources=(
        "Gu, Dolan-Gavitt & Garg, BadNets, arXiv:1708.06733 (what a trigger does)",
        "Wang & Ramdas, arXiv:2009.02824 (e-BH)",
        "Clerico, arXiv:2412.02640",
        "MITRE ATLAS AML.T0018, AML.T0020",
    ),
    build=TriggerWatch,
)
