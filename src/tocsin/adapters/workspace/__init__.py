"""The workspace on disk: policy, inventory, secrets."""
