"""Prompt injection and jailbreak wording in what users write and in what documents and tools bring in."""

from tocsin.detect.text.watching import PARAMETERS, Subject, build
from tocsin.model.detector import DetectorKind, Parameter
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
        "The model knows the wording of 32 languages from phrases that no native speaker has read; rules know fewer.",
        "Requests in documents that read like ordinary business pass more often than they are found.",
    ),
    next_steps=(
        "Read a sample of the rows, by rule: who writes, from how many sessions?",
        "For documents: find the source, take it out, look for others that came the same way.",
        "Check what the assistant answered in the same sessions.",
    ),
)

MODEL_FROM = Parameter(
    "model_from",
    float,
    0.9,
    "messages without a pattern are flagged from this probability of the injection model on",
    low=0.5,
    high=1.0,
)

DETECTOR = DetectorKind(
    name="prompt_injection",
    title="Prompt injection",
    category=Category.ADVERSARIAL_ATTACK,
    table="interactions",
    parameters=(*PARAMETERS, MODEL_FROM),
    claims="An alarm says that the share of messages with attack wording rose above what is tolerated; single messages are sightings.",
    blind_spots=SUBJECT.blind_spots,
    sources=("OWASP LLM01:2025", "MITRE ATLAS AML.T0051", "Shin, Ramdas & Rinaldo, arXiv:2203.03532"),
    build=lambda setting: build(SUBJECT, ("injection",), setting),
    content=("patterns", "injection"),
    required=("role", "text"),
)
