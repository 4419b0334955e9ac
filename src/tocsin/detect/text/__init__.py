"""The text engine: patterns over an Arrow column, validators, masks and keyed digests."""
