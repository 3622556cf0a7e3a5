"""The kernel whose cameras the tests plug in and out."""

from __future__ import annotations

from pathlib import Path

import pytest

from .fake import FakeKernel


@pytest.fixture
def kernel(tmp_path: Path) -> FakeKernel:
    return FakeKernel(tmp_path)
