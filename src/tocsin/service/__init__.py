"""One file a verb of the mission: load, ask the core, append to the ledger, notify. The order of things, never a rule."""
