"""What a bag can be blamed for."""

from __future__ import annotations


class BagError(ValueError):
    """A bag that cannot be read or written; its text is one sentence for a person."""


def without_rosbags(error: ImportError) -> BagError:
    """What to say where the library that reads bags is not installed."""
    return BagError(
        f"bags need {error.name}, which is not installed: "
        "pip install -r requirements/evaluation.txt"
    )
