"""Motion of the skin: dense flow against the past, without the head's."""
