"""Sealed blobs: a key per incident, so that erasing the key erases the data."""
