"""Which room may know which: the graph of imports, beyond what the import contracts state."""

from __future__ import annotations

from itertools import combinations

import grimp
import pytest


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("tocsin", cache_dir=None)


def test_no_two_rooms_know_each_other(graph: grimp.ImportGraph) -> None:
    rooms = sorted(graph.find_children("tocsin"))
    mutual = [
        f"{one} <-> {other}"
        for one, other in combinations(rooms, 2)
        if graph.direct_import_exists(importer=one, imported=other, as_packages=True)
        and graph.direct_import_exists(importer=other, imported=one, as_packages=True)
    ]
    assert not mutual


def test_no_module_takes_part_in_a_circle(graph: grimp.ImportGraph) -> None:
    circles = [
        f"{module} -> {imported} -> ... -> {module}"
        for module in sorted(graph.modules)
        for imported in graph.find_modules_directly_imported_by(module)
        if graph.chain_exists(importer=imported, imported=module)
    ]
    assert not circles
