"""The Merkle tree against the published vectors, and its proofs against each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    consistent,
    included,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)

# The eight leaves of the certificate-transparency reference tests, and the roots of their first n.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def _subtree(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    return lambda start, end: root_of(leaves[start:end])


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert root_of(map(leaf_hash, LEAVES[:size])).hex() == ROOTS[size - 1]


def test_leaves_and_nodes_are_hashed_apart() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)


sizes = st.integers(1, 70)


@given(sizes, st.data())
def test_a_true_inclusion_proof_holds_and_any_changed_one_does_not(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, size, _subtree(leaves)), root_of(leaves)
    assert included(leaves[index], index, size, proof, root)
    assert not included(leaf_hash(b"other"), index, size, proof, root)
    assert not included(leaves[index], index, size, [*proof, root], root)
    if proof:
        assert not included(leaves[index], index, size, proof[:-1], root)
        bent = [bytes(32), *proof[1:]]
        assert not included(leaves[index], index, size, bent, root)


@given(sizes)
def test_an_index_outside_the_tree_is_never_included(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    assert not included(leaves[0], size, size, [], root_of(leaves))
    assert not included(leaves[0], -1, size, [], root_of(leaves))


@given(sizes, st.data())
def test_a_tree_is_consistent_with_its_beginnings_and_with_nothing_else(new: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(new)]
    old = data.draw(st.integers(0, new))
    proof = consistency_proof(old, new, _subtree(leaves))
    old_root, new_root = root_of(leaves[:old]), root_of(leaves)
    assert consistent(old, new, old_root, new_root, proof)
    if 0 < old < new:
        assert not consistent(old, new, leaf_hash(b"x"), new_root, proof)
        assert not consistent(old, new, old_root, leaf_hash(b"x"), proof)
        assert not consistent(old, new, old_root, new_root, proof[:-1])


@given(st.lists(st.binary(max_size=5), max_size=60))
def test_a_frontier_resumed_from_its_roots_goes_on_as_if_it_never_stopped(parts: list[bytes]) -> None:
    whole = Frontier()
    resumed = Frontier()
    for part in parts:
        whole.add(leaf_hash(part))
        resumed = Frontier(resumed.size, resumed.roots)
        resumed.add(leaf_hash(part))
    assert resumed.root() == whole.root() == root_of(map(leaf_hash, parts))
