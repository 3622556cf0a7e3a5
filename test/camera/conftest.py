"""Videos that the tests of the cameras share."""

from __future__ import annotations

from pathlib import Path

import pytest

from .recordings import recorded


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small video for each kind of container, by its suffix."""
    return recorded(tmp_path_factory.mktemp("videos"))
