"""Prompt injection and jailbreak wording in what users write and in what documents and tools bring in."""

from tocsin.detect.text.watching import PARAMETERS, Subject, build
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

SUBJECT = Subject(
    name="prompt_injection",
    category=Category.ADVERSARIAL_ATTACK,
    roles=("user", "retrieved", "tool"),
    compares_typed=False,
    tool_part="text",
    noun="attack wording",
    blind_spots=(
        "Known wordings only: optimized suffixes, narrative jailbreaks and new families pass.",
        "Most rules are English; seven other languages are covered for the commonest wording only.",
        "Encoded or obfuscated text is not decoded before it is scanned.",
    ),
    next_steps=(
        "Read a sample of the rows, by rule: who writes, from how many sessions?",
        "For documents: find the source, take it out, look for others that came the same way.",
        "Check what the assistant answered in the same sessions.",
    ),
)

DETECTOR = DetectorKind(
    name="prompt_injection",
    title="Prompt injection",
    category=Category.ADVERSARIAL_ATTACK,
    table="interactions",
    parameters=PARAMETERS,
    claims="An alarm says that the share of messages with attack wording rose above what is tolerated; single messages are sightings.",
    blind_spots=SUBJECT.blind_spots,
    sources=("OWASP LLM01:2025", "MITRE ATLAS AML.T0051", "Shin, Ramdas & Rinaldo, arXiv:2203.03532"),
    build=lambda setting: build(SUBJECT, ("injection",), setting),
    content=("patterns",),
    required=("role", "text"),
)
