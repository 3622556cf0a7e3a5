"""What is found out about a network: where its attention peaks, whom its features know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[training]'")
pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install '.[training]'")

from emopulse_ros.facs import CODES  # noqa: E402
from emopulse_ros.training.attention import attention_peaks, expressions  # noqa: E402
from emopulse_ros.training.clips import Clip, packed  # noqa: E402
from emopulse_ros.training.dataset import Clips  # noqa: E402
from emopulse_ros.training.identity import CLIPS_EACH, NAME, probe_identity  # noqa: E402
from emopulse_ros.training.network import Reading, TinyI3D  # noqa: E402

CPU = torch.device("cpu")


def save(folder: Path, name: str, motion: np.ndarray, strength: np.ndarray) -> None:
    neutral = np.zeros((1, 2, 64, 64), np.int16)
    clip = Clip(packed(motion), neutral, np.zeros(1, np.int32), strength, strength > 0)
    clip.save(folder / f"{name}.npz")


class Staring(TinyI3D):
    """Attends to one frame of every clip, and to no other."""

    def __init__(self, frame: int) -> None:
        super().__init__()
        self.frame = frame

    def forward(self, flow: torch.Tensor) -> Reading:
        reading = super().forward(flow)
        attention = torch.ones_like(reading.attention)
        attention[:, self.frame] = 3.0
        return Reading(
            reading.logits, reading.intensity, attention, reading.scores, reading.features
        )


@pytest.fixture
def moving(tmp_path: Path) -> Clips:
    """One unit moves from frame 30 to 70, fastest at 40 and 60, with its apex at 50."""
    strength = np.zeros((90, len(CODES)), np.float16)
    strength[30:71, 2] = 0.4 * np.hanning(41)
    save(tmp_path, "portrait-000001", np.zeros((90, 2, 64, 64), np.float32), strength)
    return Clips([tmp_path], ["portrait"])


@pytest.mark.parametrize(("frame", "near"), [(40, 1.0), (50, 1.0), (61, 1.0), (45, 0.0), (35, 0.0)])
def test_a_peak_counts_where_motion_is_fastest_or_at_the_apex(
    moving: Clips, frame: int, near: float
) -> None:
    peaks = attention_peaks(Staring(frame), moving, CPU)
    assert (peaks.expressions, peaks.near) == (1, near)
    assert 0.3 < peaks.chance < 0.5


def test_expressions_are_stretches_without_blinks() -> None:
    strength = np.zeros((len(CODES), 50), np.float32)
    strength[1, 5:10] = strength[4, 8:15] = strength[-1, 30:40] = 0.3
    assert expressions(strength) == [(5, 14)]


def test_the_probe_knows_people_by_what_stays_the_same(tmp_path: Path) -> None:
    """People whose skin trembles in places of their own are known; those alike are not."""
    random = np.random.default_rng(0)
    for kind in ("own", "alike"):
        (tmp_path / kind).mkdir()
        for number in range(4 * CLIPS_EACH):
            motion = random.normal(0.0, 0.02, (60, 2, 64, 64)).astype(np.float32)
            if kind == "own":
                place = 16 * (number // CLIPS_EACH)
                motion[:, :, place : place + 16] += 1.0
            strength = np.zeros((60, len(CODES)), np.float16)
            save(tmp_path / kind, f"{NAME}-{number:06d}", motion, strength)
    torch.manual_seed(0)
    network = TinyI3D().eval()
    own, alike = (
        probe_identity(network, Clips([tmp_path / kind], [NAME]), CPU) for kind in ("own", "alike")
    )
    assert own.chance == alike.chance == 0.25
    assert own.accuracy > 0.9
    assert alike.accuracy < 0.6
