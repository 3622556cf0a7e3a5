"""Faces that move with known action units."""
