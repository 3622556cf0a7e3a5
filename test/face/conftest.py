"""A face stage whose looks are a double's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emopulse_ros.face.beside import Beside
from emopulse_ros.face.look import Seen
from emopulse_ros.face.stage import FaceStage

from .eye import Eye, PromptStage


@pytest.fixture
def eye() -> Eye:
    return Eye()


@pytest.fixture
def stage(eye: Eye) -> Iterator[FaceStage]:
    beside: Beside[Seen] = Beside(wait=True)
    yield PromptStage(eye, beside)
    beside.close()
