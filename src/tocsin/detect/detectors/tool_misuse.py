"""Tool misuse: typed rules on what agents send to tools, from destructive commands to files that hold secrets."""

from tocsin.detect.text.watching import PARAMETERS, Subject, build
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

SUBJECT = Subject(
    name="tool_misuse",
    category=Category.AGENT_MISUSE,
    roles=("tool",),
    compares_typed=False,
    tool_part="tool_arguments",
    noun="misuse of tools",
    blind_spots=(
        "Commands that are built from parts, encoded, or hidden in a script that is run are not recognized.",
        "The rules know shells, SQL, the large clouds, Kubernetes, git and files; the verbs of your own tools are yours to add.",
        "What a person asked for on purpose looks the same: give such tools a system of their own, or exclude the rule.",
    ),
    next_steps=(
        "Stop the agent, and find out whether the call was carried out and what it did.",
        "Read the session: did the user ask for it, or a document?",
        "Take the right away that made it possible: read-only accounts, a sandbox, an approval before the verb.",
    ),
)

DETECTOR = DetectorKind(
    name="tool_misuse",
    title="Tool misuse",
    category=Category.AGENT_MISUSE,
    table="interactions",
    parameters=PARAMETERS,
    claims="A severe hit is a call that destroys, opens a way in, or reads secrets; an alarm: the share of flagged calls rose.",
    blind_spots=SUBJECT.blind_spots,
    sources=("OWASP LLM06:2025 Excessive Agency", "MITRE ATLAS AML.T0053", "Shin, Ramdas & Rinaldo, arXiv:2203.03532"),
    build=lambda setting: build(SUBJECT, ("tool_call",), setting),
    content=("patterns",),
    required=("role", "tool_arguments"),
)
