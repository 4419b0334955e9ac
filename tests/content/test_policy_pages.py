"""The pages on the workspace and the policy name everything that there is, and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.sources import PACKAGE, ROOT
from tocsin.adapters.workspace.policy_references import INPUTS
from tocsin.adapters.workspace.schema import ROUTES, ColumnFile, PolicyFile, SystemFile
from tocsin.content.loaders.policies import standing_text
from tocsin.content.loaders.workspaces import templates

POLICY = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
WORKSPACE = (ROOT / "docs" / "workspace.md").read_text(encoding="utf-8")
GAP = re.compile(r"[a-z]+\.[a-z_]+")


def gap_ids() -> set[str]:
    """The ids of all gaps, from the source of `govern`."""
    found = set()
    for path in (PACKAGE / "govern").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Gap", "_gap"}:
                strings = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)]
                found |= {f"system.{name}" if node.func.id == "_gap" else str(name) for name in strings[:1]}
    return {name for name in found if GAP.fullmatch(name)}


def test_every_gap_stands_in_the_table_and_nothing_else_does() -> None:
    table = POLICY.split("## Gaps")[1].split("## The document")[0]
    told = set(re.findall(r"^\| `([a-z_.]+)` \|", table, re.MULTILINE))
    assert told == gap_ids()
    assert len(told) > 30


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_every_input_of_the_severity_matrix_is_explained(name: str) -> None:
    assert f"`{name}`" in POLICY


@pytest.mark.parametrize("name", templates())
def test_every_template_is_listed(name: str) -> None:
    assert f"| `{name}` |" in WORKSPACE


def test_every_route_is_explained() -> None:
    routes = re.findall(r"`(annex_i_a|annex_i_b|prohibited|transparency|none)`", WORKSPACE)
    assert set(routes) == {route for route in ROUTES if not route.startswith("annex_iii")}


def test_every_setting_of_a_column_is_explained() -> None:
    assert [
        name for name in ColumnFile.model_fields if f"`{name}" not in WORKSPACE and f"{name}:" not in WORKSPACE
    ] == []


@pytest.mark.parametrize("model", [PolicyFile, SystemFile])
def test_every_setting_says_what_it_is_for(model: type[PolicyFile | SystemFile]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("name", sorted(PolicyFile.model_fields))
def test_every_key_of_the_policy_stands_in_the_shipped_example(name: str) -> None:
    example = PACKAGE / "content" / "workspaces" / "bank" / "policy.yaml"
    assert re.search(rf"^{name}:", Path(example).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_number_of_sections_is_the_one_that_the_page_says() -> None:
    assert len(standing_text()) == 13
    assert "Thirteen sections" in POLICY
