"""Personal data and secrets in what the assistant says and sends to tools, other than what the user typed in the same session."""

from tocsin.detect.text.watching import PARAMETERS, Subject, build
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

SUBJECT = Subject(
    name="personal_data",
    category=Category.DATA_LEAKAGE,
    roles=("assistant", "tool"),
    compares_typed=True,
    tool_part="tool_arguments",
    noun="personal data or secrets",
    blind_spots=(
        "Names, addresses and free descriptions of people are not recognized: only forms with a structure are.",
        "What was encoded, split over messages or written in words passes.",
        "Data that the user typed in an earlier window of the same session counts as new.",
    ),
    next_steps=(
        "Read the sessions of the rows: whose data is it, and how did it reach the assistant?",
        "Look for findings of prompt injection in the same sessions.",
        "Switch off the tool or the document that brought the data in; answer the question on breach risk.",
    ),
)

DETECTOR = DetectorKind(
    name="personal_data",
    title="Personal data and secrets",
    category=Category.DATA_LEAKAGE,
    table="interactions",
    parameters=PARAMETERS,
    claims="A severe hit is a validated card or account number or a secret in an answer; an alarm: the share of flagged messages rose.",
    blind_spots=SUBJECT.blind_spots,
    sources=("ISO/IEC 7812-1 (Luhn)", "ISO 13616 (IBAN)", "Shin, Ramdas & Rinaldo, arXiv:2203.03532"),
    build=lambda setting: build(SUBJECT, ("personal_data", "secret"), setting),
    content=("patterns",),
    required=("role", "text"),
)
