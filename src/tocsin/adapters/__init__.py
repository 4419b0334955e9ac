"""The edge: files, databases, renderers. One package a kind, one module an implementation."""
