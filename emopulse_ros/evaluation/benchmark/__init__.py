"""A fixed set of clips with exact truth, and what models score on it."""
