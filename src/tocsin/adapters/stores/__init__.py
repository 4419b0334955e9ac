"""Ledgers on a database."""
