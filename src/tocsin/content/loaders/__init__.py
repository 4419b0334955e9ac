"""Read and lint the content folders, one module a kind."""
