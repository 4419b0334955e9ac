"""Playbooks in a few words, for the tests of this room."""

from __future__ import annotations

from typing import Any

from tocsin.respond.cacao import Playbook, parsed

WHO = "organization--00000000-0000-4000-8000-000000000001"
EXTENSION = "extension-definition--00000000-0000-4000-8000-000000000002"


def name(kind: str, number: int) -> str:
    """The id of a step."""
    return f"{kind}--00000000-0000-4000-8000-{number:012d}"


START, END = name("start", 0), name("end", 99)


def action(number: int, then: str = END, *, mandatory: bool = True, **extension: Any) -> dict[str, Any]:
    """Action number so and so, of the short name s1, s2, ..."""
    return {
        "type": "action",
        "name": f"Step {number}",
        "description": f"why {number}",
        "agent": WHO,
        "commands": [{"type": "manual", "command": f"Step {number}"}],
        "on_completion": then,
        "step_extensions": {
            EXTENSION: {
                "slug": f"s{number}",
                "role": "legal",
                "evidence": f"proof {number}",
                "mandatory": mandatory,
                **extension,
            }
        },
    }


def condition(text: str, then: str = END, **ways: str) -> dict[str, Any]:
    """An if-condition."""
    return {"type": "if-condition", "condition": text, "on_completion": then, **ways}


def file(workflow: dict[str, Any], first: str) -> dict[str, Any]:
    """A whole file around these steps; start and end come by themselves."""
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": name("playbook", 0),
        "name": "A playbook",
        "description": "for tests",
        "created_by": name("identity", 0),
        "created": "2026-11-24T00:00:00.000Z",
        "modified": "2026-11-24T00:00:00.000Z",
        "workflow_start": START,
        "workflow": {START: {"type": "start", "on_completion": first}, **workflow, END: {"type": "end"}},
        "agent_definitions": {WHO: {"type": "organization", "name": "Legal"}},
    }


def line(*mandatory: bool) -> dict[str, Any]:
    """A file of actions one after the other, mandatory or not."""
    last = len(mandatory)
    steps = {
        name("action", n): action(n, END if n == last else name("action", n + 1), mandatory=must)
        for n, must in enumerate(mandatory, start=1)
    }
    return file(steps, name("action", 1))


def playbook(data: dict[str, Any]) -> Playbook:
    """The file, parsed."""
    return parsed(data, "made", "d" * 64)
