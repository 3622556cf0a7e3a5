"""From flow to action units, and from those to events."""
