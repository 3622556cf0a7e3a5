"""Paced measurements."""
