"""Units and strengths fitted once more to features as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[train]'")

from emopulse_ros.facs import CODES  # noqa: E402
from emopulse_ros.training import readings  # noqa: E402
from emopulse_ros.training.clips import Clip, packed  # noqa: E402
from emopulse_ros.training.dataset import SLIGHT, SLIGHT_WEIGHT, Clips, weight_of  # noqa: E402
from emopulse_ros.training.network import TinyI3D  # noqa: E402
from emopulse_ros.training.readings import fit_readings  # noqa: E402

CPU = torch.device("cpu")


def save(folder: Path, number: int, *, told: bool = True) -> None:
    """A clip in which one unit moves a region of its own, and is told or not."""
    random = np.random.default_rng(number)
    strength = np.zeros((80, len(CODES)), np.float16)
    strength[25:65, number] = 0.5 * np.hanning(40)
    motion = random.normal(0.0, 0.02, (80, 2, 64, 64)).astype(np.float32)
    motion[:, :, 14 * number : 14 * number + 12, 20:40] += strength[:, number, None, None, None]
    neutral, since = np.zeros((1, 2, 64, 64), np.int16), np.zeros(1, np.int32)
    strength = strength if told else np.zeros_like(strength)
    clip = Clip(packed(motion), neutral, since, strength, strength > 0)
    folder.mkdir(exist_ok=True)
    clip.save(folder / f"portrait-{number:06d}.npz")


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    for number in range(4):
        save(tmp_path, number)
    return Clips([tmp_path], ["portrait"])


def read(network: TinyI3D, clips: Clips) -> tuple[torch.Tensor, torch.Tensor]:
    """Features ``(N, F)`` and logits ``(N, A)`` of all clips."""
    network.eval()
    with torch.no_grad():
        said = [network(batch.flow) for _, batch in clips.wholes()]
    return (
        torch.cat([one.features[0].T for one in said]),
        torch.cat([one.logits[0].T for one in said]),
    )


def test_what_is_read_fits_better_and_the_rest_stays(clips: Clips) -> None:
    torch.manual_seed(1)
    network = TinyI3D(baseline=False)
    torch.nn.init.constant_(network.units.bias, -3.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    truth = torch.from_numpy(clips.truth.astype(np.float32))
    weight = torch.from_numpy(weight_of(clips.truth, clips.strength))
    losses = []
    for fitted in (False, True):
        if fitted:
            fit_readings(network, clips, CPU)
        _, logits = read(network, clips)
        entropy = torch.nn.functional.binary_cross_entropy_with_logits
        losses.append(float(entropy(logits, truth, weight)))
    assert losses[1] < 0.7 * losses[0]
    for name, value in network.state_dict().items():
        own = name.startswith(("units.", "strength."))
        assert own != torch.equal(value, before[name]), name


def test_what_was_learnt_holds_it_back(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    network = TinyI3D(baseline=False)
    learnt = network.units.weight.detach().clone()
    monkeypatch.setattr(readings, "DRAWN_BACK", 1e6)
    fit_readings(network, clips, CPU)
    features, _ = read(network, clips)
    assert ((network.units.weight - learnt) * features.std(dim=0)).abs().max() < 1e-3


def test_what_quiet_clips_show_is_seldom_told(tmp_path: Path) -> None:
    """The same motion is a unit in one clip and none in the other: which of them counts more?"""
    save(tmp_path / "train", 1)
    shares = {}
    for other in ("quiet", "more"):
        save(tmp_path / other, 1, told=False)
        torch.manual_seed(1)
        network = TinyI3D(baseline=False)
        fit_readings(network, Clips([tmp_path / "train", tmp_path / other], ["portrait"]), CPU)
        _, logits = read(network, Clips([tmp_path / "train"], ["portrait"]))
        shares[other] = float(torch.sigmoid(logits[40:50, 1]).mean())
    assert 0.1 < shares["more"] < 0.6
    assert shares["quiet"] < 0.4 * shares["more"]


def test_a_faint_beginning_counts_less() -> None:
    active = np.array([[True, True, False]])
    strength = np.array([[SLIGHT / 2, SLIGHT * 2, 0.0]], np.float32)
    assert weight_of(active, strength).tolist() == [[pytest.approx(SLIGHT_WEIGHT), 1.0, 1.0]]
