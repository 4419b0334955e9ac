"""Drift: has the distribution of a column changed? Counts in fine cells, cut by the reference, tested along directions (N4)."""
