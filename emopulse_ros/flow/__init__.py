"""Motion of the skin."""
