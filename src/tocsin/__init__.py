"""Tocsin: the AI incident response policy that runs."""

__version__ = "0.1.0"
