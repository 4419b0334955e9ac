"""Seeded traffic of invented organizations, for the demo and the tests. Nobody in it exists."""
