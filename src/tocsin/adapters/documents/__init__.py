"""Documents out: PDF."""
