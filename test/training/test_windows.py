"""Batches of clips against the same arithmetic, written out in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[training]'")

from emopulse_ros.facs import CODES  # noqa: E402
from emopulse_ros.flow.recipe import FlowRecipe  # noqa: E402
from emopulse_ros.flow.strain import optical_strain, strain_tensor  # noqa: E402
from emopulse_ros.training.clips import Clip, packed  # noqa: E402
from emopulse_ros.training.dataset import (  # noqa: E402
    FROM_START,
    OVERLAID,
    SLIGHT,
    SLIGHT_WEIGHT,
    Clips,
    transients,
)
from emopulse_ros.training.network import TinyI3D  # noqa: E402

RECIPE = FlowRecipe(baselines_ms=(10.0, 45.0))
AGES = (2, 9)
NAMES = ("flow", "active", "strength", "weight", "transient")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips of several neutral faces, in each of which all moves at random."""
    random = np.random.default_rng(5)
    for number, frames in enumerate((40, 50)):
        strength = np.zeros((frames, len(CODES)), np.float16)
        strength[5:35, number : number + 5] = random.uniform(0.01, 0.95, (30, 5))
        clip = Clip(
            packed(random.normal(0.0, 20.0, (frames, 2, 64, 64)).astype(np.float32)),
            packed(random.normal(0.0, 1.0, (3, 2, 64, 64)).astype(np.float32)),
            np.array([0, 11, 30], np.int32),
            strength,
            strength > 0,
        )
        clip.save(tmp_path / f"portrait-{number:06d}.npz")
    return tmp_path


class Part(NamedTuple):
    flow: np.ndarray
    active: np.ndarray
    strength: np.ndarray


def flow_of(clip: Clip, frames: np.ndarray) -> np.ndarray:
    now = clip.motion[frames].astype(np.int32)
    before = [clip.motion[np.maximum(frames - age, 0)] for age in AGES]
    before.append(clip.neutral[np.searchsorted(clip.since, frames, "right") - 1])
    return np.concatenate([now - past for past in before], axis=1).astype(np.float32) / 1024


def drawn(clips: list[Clip], random: np.random.Generator, frames: int, from_start: bool) -> Part:
    clip = clips[random.integers(len(clips))]
    start = 0 if from_start else int(random.integers(1, len(clip) - frames + 1))
    flow = flow_of(clip, np.arange(start, start + frames))
    if random.random() < 0.5:
        flow = flow[..., ::-1].copy()
        flow[:, 0::2] *= -1
    shift = tuple(random.integers(-2, 3, 2))
    factor = np.float32(random.uniform(0.8, 1.25))
    part = slice(start, start + frames)
    strength = np.minimum(clip.strength[part].T * factor, 1.0)
    return Part(np.roll(flow, shift, axis=(2, 3)) * factor, clip.active[part].T, strength)


def with_strain(flow: np.ndarray) -> np.ndarray:
    """``(T, 2 R, H, W)`` to ``(3 R, T, H, W)``."""
    planes = []
    for u, v in zip(flow[:, 0::2].swapaxes(0, 1), flow[:, 1::2].swapaxes(0, 1), strict=True):
        each = zip(u, v, strict=True)
        planes += [u, v, np.array([optical_strain(strain_tensor(*pair)) for pair in each])]
    return np.array(planes)


def test_a_whole_clip_is_its_motion_against_each_reference(folder: Path) -> None:
    clips = Clips([folder], ["portrait"], RECIPE)
    for index, clip in enumerate(clips.clips):
        batch = clips.whole(index)
        wanted = with_strain(flow_of(clip, np.arange(len(clip))))
        np.testing.assert_allclose(batch.flow[0], wanted, rtol=1e-5, atol=1e-5)
        assert np.array_equal(batch.active[0], clip.active.T)
        assert np.array_equal(batch.strength[0], clip.strength.T.astype(np.float32))
        assert batch.weight[0, :, 0].min() == 1.0


def test_a_batch_is_what_its_random_numbers_say(folder: Path) -> None:
    """Mirrored, shifted, scaled and laid over each other, from the start and from mid-clip."""
    count, frames, warm_up = 12, 20, 4
    clips = Clips([folder], ["portrait"], RECIPE)
    batch = clips.draw(np.random.default_rng(4), count, frames, warm_up)
    random = np.random.default_rng(4)
    known, laid_over = 0, 0
    for place in range(count):
        from_start = bool(random.random() < FROM_START)
        part = drawn(clips.clips, random, frames, from_start)
        if random.random() < OVERLAID:
            other = drawn(clips.clips, random, frames, from_start)
            part = Part(
                part.flow + other.flow,
                part.active | other.active,
                np.maximum(part.strength, other.strength),
            )
            laid_over += 1
        weight = np.where(part.active & (part.strength < SLIGHT), SLIGHT_WEIGHT, 1.0)
        weight[:, : 0 if from_start else warm_up] = 0.0
        known += from_start
        wanted = (with_strain(part.flow), *part[1:], weight, transients(part.strength))
        for name, value in zip(NAMES, wanted, strict=True):
            got = getattr(batch, name)[place]
            np.testing.assert_allclose(got, value, rtol=1e-5, atol=1e-4, err_msg=name)
    assert 0 < known < count
    assert laid_over > 1


def test_motion_stays_on_the_disk(folder: Path) -> None:
    clips = Clips([folder], ["portrait"], RECIPE)
    clips.draw(np.random.default_rng(0), 4, 20, 4)
    for clip in clips.clips:
        assert isinstance(clip.motion, np.memmap)


@needs_gpu
def test_a_gpu_draws_the_same_batch(folder: Path) -> None:
    here, there = (
        Clips([folder], ["portrait"], RECIPE, torch.device(name)) for name in ("cpu", "cuda")
    )
    batches = [clips.draw(np.random.default_rng(4), 12, 20, 4) for clips in (here, there)]
    batches += [here.whole(1), there.whole(1)]
    for one, other in (batches[:2], batches[2:]):
        for name in NAMES:
            assert getattr(other, name).device.type == "cuda"
            got = getattr(other, name).cpu()
            np.testing.assert_allclose(getattr(one, name), got, rtol=1e-5, atol=1e-5)


@needs_gpu
def test_a_gpu_trains_and_reads(folder: Path, tmp_path: Path) -> None:
    from emopulse_ros.training.configuration import Optimisation
    from emopulse_ros.training.loop import read_clips, train

    device = torch.device("cuda")
    clips = Clips([folder], ["portrait"], device=device)
    plan = Optimisation(steps=4, steps_again=2, batch=2, frames=24, look_every=3, dropout=0.9)
    network = train(TinyI3D(), clips, clips, plan, tmp_path, device)
    there, truth = read_clips(network, clips, device)
    here, _ = read_clips(network.cpu(), Clips([folder], ["portrait"]), torch.device("cpu"))
    assert truth.shape == there.shape
    np.testing.assert_allclose(there, here, atol=0.05)
