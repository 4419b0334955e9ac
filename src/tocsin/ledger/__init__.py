"""Canonical bytes, hash chain, Merkle tree, checkpoints, verification. No storage."""
