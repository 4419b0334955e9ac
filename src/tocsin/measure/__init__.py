"""Times and rates, as functions over ledger events."""
