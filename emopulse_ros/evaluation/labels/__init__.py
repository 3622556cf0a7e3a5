"""Ground truth as people write it down: tables, annotation files, topics of a bag."""
