"""The one error of the set-up."""


class SetupError(Exception):
    """Carries one sentence: what went wrong, where, and what to do about it."""
