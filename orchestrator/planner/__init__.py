"""History in, proposals out. scipy is needed by `modelled` and what it imports alone."""
