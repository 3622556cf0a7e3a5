"""``emopulse demo``: fifteen seconds of a synthetic face over real ROS, live, with scores."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status."""
    raise NotImplementedError
