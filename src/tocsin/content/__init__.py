"""What Tocsin knows, as data, with its loaders and the only discovery code."""
