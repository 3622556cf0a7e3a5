"""The stream as a person looks at it: what belongs together, what is drawn on it, and to whom it
is shown."""
