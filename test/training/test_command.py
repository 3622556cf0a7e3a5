"""Training, from clips to a model file the runtime reads."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[train]'")
pytest.importorskip("onnx", reason="onnx is not installed: pip install '.[train]'")

from emopulse_ros.detection.onnx_engine import OnnxEngine, open_session  # noqa: E402
from emopulse_ros.detection.parity import HALF, compare  # noqa: E402
from emopulse_ros.face.look import Look  # noqa: E402
from emopulse_ros.facs import CODES  # noqa: E402
from emopulse_ros.flow.recipe import FlowRecipe  # noqa: E402
from emopulse_ros.flow.stage import FlowStage  # noqa: E402
from emopulse_ros.flow.strain import optical_strain, strain_tensor  # noqa: E402
from emopulse_ros.stream import FaceCrop, FlowStep  # noqa: E402
from emopulse_ros.synthesis.script import MILLISECOND  # noqa: E402
from emopulse_ros.training import clips as clip_making  # noqa: E402
from emopulse_ros.training import scripts  # noqa: E402
from emopulse_ros.training.clips import Clip, packed  # noqa: E402
from emopulse_ros.training.command import learn, main  # noqa: E402
from emopulse_ros.training.configuration import (  # noqa: E402
    MORE,
    PARTS,
    ClipPlan,
    Configuration,
    ConfigurationError,
    Optimisation,
)
from emopulse_ros.training.dataset import Clips, transients  # noqa: E402
from emopulse_ros.training.making import SYNTHESIS, make_parts  # noqa: E402
from emopulse_ros.training.network import TinyI3D  # noqa: E402

PLAN = Configuration(
    optimisation=Optimisation(steps=4, steps_again=2, batch=2, frames=24, look_every=3, dropout=0.9)
)


def clip(seed: int) -> Clip:
    """A clip in which unit ``seed % 15`` is active and a region of its own moves."""
    random = np.random.default_rng(seed)
    unit = seed % len(CODES)
    strength = np.zeros((60, len(CODES)), np.float16)
    strength[20:40, unit] = np.hanning(20) * 0.5
    motion = random.normal(0.0, 0.02, (60, 2, 64, 64)).astype(np.float32)
    motion[:, :, 4 * unit : 4 * unit + 8, 20:40] += strength[:, unit, None, None, None]
    neutral = np.zeros((1, 2, 64, 64), np.int16)
    return Clip(packed(motion), neutral, np.zeros(1, np.int32), strength, strength > 0)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for part, count in (("train", 30), ("validation", 15), ("test", 15)):
        (tmp_path / part).mkdir()
        for number in range(count):
            clip(number).save(tmp_path / part / f"rendered-{PARTS[part] + number:06d}.npz")
    return tmp_path


def test_a_clip_says_what_the_flow_stage_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also across the moment when a new neutral face is taken."""
    said: list[np.ndarray] = []

    class Overheard(FlowStage):
        def __call__(self, crop: FaceCrop) -> FlowStep:
            step = super().__call__(crop)
            said.append(step.data)
            return step

    monkeypatch.setattr(clip_making, "FlowStage", Overheard)
    monkeypatch.setitem(scripts.LENGTHS, "natural", 1900 * MILLISECOND)
    clip = clip_making.make_clip(3, clip_making.portrait(), Look(), "natural")
    assert clip is not None
    assert len(clip.neutral) > 1, "the neutral face was never renewed: choose another seed"
    clip.save(tmp_path / "portrait-000003.npz")
    planes = [k for k, name in enumerate(FlowRecipe().channels) if name[0] in "uv"]
    flow = Clips([tmp_path], ["portrait"]).whole(0).flow[0].transpose(0, 1)
    np.testing.assert_allclose(flow[:, planes], np.array(said)[:, planes], atol=1.1 / 1024)


def test_a_saved_clip_is_the_same_clip(tmp_path: Path) -> None:
    one = clip(4)
    one.save(tmp_path / "rendered-000004.npz")
    again = Clip.load(tmp_path / "rendered-000004.npz")
    for name in Clip.__slots__:
        assert np.array_equal(getattr(one, name), getattr(again, name))


def test_transients_are_where_motion_is_fastest() -> None:
    strength = np.zeros((len(CODES), 100))
    strength[3, 20:61] = 0.4 * np.hanning(41)
    near = transients(strength)
    assert set(np.flatnonzero(near == 1.0)) <= {29, 30, 31, 49, 50, 51}
    assert near[30] == near[50] == 1.0
    assert near[40] < 0.01
    assert near[:15].max() == 0.0 or near[:15].max() < 1e-6
    blink = np.zeros_like(strength)
    blink[CODES.index(45)] = strength[3]
    assert transients(blink).max() == 0.0


def test_strain_is_that_of_the_runtime(clips: Path) -> None:
    batch = Clips([clips / "train"], ["rendered"]).whole(0)
    data = batch.flow[0, :, 30].numpy()
    for reference in range(3):
        u, v, strain = data[3 * reference : 3 * reference + 3]
        np.testing.assert_allclose(strain, optical_strain(strain_tensor(u, v)), atol=1e-5)


def test_clips_of_another_synthesis_are_not_trained_on(clips: Path) -> None:
    nothing = ClipPlan(rendered=0, portrait=0, validation=0, test=0, people=0, processes=1)
    with pytest.raises(ValueError, match="were made by another synthesis"):
        make_parts(nothing, clips, None)
    (clips / "synthesis.txt").write_text(SYNTHESIS)
    make_parts(nothing, clips, None)


def test_no_seed_stands_in_two_parts() -> None:
    plan = ClipPlan()
    largest = max(plan.rendered, plan.portrait, plan.validation, plan.test)
    starts = sorted(PARTS.values())
    assert all(late - early > largest for early, late in pairwise(starts))


def test_from_clips_to_a_model_the_runtime_reads(clips: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    learn(PLAN, clips, run, torch.device("cpu"))
    engine = OnnxEngine(run / "tiny_i3d.onnx")
    assert engine.card.codes == CODES
    assert "30 rendered" in engine.card.trained_on
    assert "Tiny-I3D" in engine.card.scores
    random = np.random.default_rng(0).normal(size=(9, 5, 64, 64)).astype(np.float32)
    whole = open_session(run / "tiny_i3d_clip.onnx").run(["logits"], {"flow": random[None]})[0][0]
    state = engine.first_state()
    for time in range(5):
        reading, state = engine.step(np.ascontiguousarray(random[:, time]), state)
        np.testing.assert_allclose(reading.logits, whole[:, time], atol=1e-5)
    card = (run / "model-card.md").read_text()
    assert "flow magnitude" in card
    assert "AU45 blink" in card


def test_a_run_taken_up_again_ends_like_one_in_a_row(clips: Path, tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir()
    halves.mkdir()
    learn(PLAN, clips, whole, torch.device("cpu"))
    from emopulse_ros.training import loop

    keep, looks = loop._log, []

    def interrupt(path: Path, line: dict[str, float]) -> None:
        keep(path, line)
        looks.append(line)
        if len(looks) == 1:
            raise KeyboardInterrupt

    loop._log = interrupt
    try:
        with pytest.raises(KeyboardInterrupt):
            learn(PLAN, clips, halves, torch.device("cpu"))
        learn(PLAN, clips, halves, torch.device("cpu"))
    finally:
        loop._log = keep
    one, other = (
        torch.load(folder / "checkpoint.pt", weights_only=True)["network"]
        for folder in (whole, halves)
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert len(looks) == 3
    longer = replace(PLAN, optimisation=replace(PLAN.optimisation, steps=5))
    with pytest.raises(ValueError, match="a run with another optimisation"):
        learn(longer, clips, whole, torch.device("cpu"))


def test_a_run_goes_on_from_the_weights_of_another(clips: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, optimisation=replace(PLAN.optimisation, steps=1, steps_again=0, rate=0.0))
    (first := tmp_path / "first").mkdir()
    (second := tmp_path / "second").mkdir()
    learn(PLAN, clips, first, torch.device("cpu"))
    learn(plan, clips, second, torch.device("cpu"), [first / "best.pt"])
    one, other = (
        torch.load(folder / "best.pt", weights_only=True)["network"] for folder in (first, second)
    )
    kept_count_of = ("running", "num_batches", "usual")
    learned = [name for name in one if not any(part in name for part in kept_count_of)]
    assert all(torch.equal(one[name], other[name]) for name in learned)


def test_without_steps_the_mean_of_what_is_given_is_read_out(clips: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, optimisation=replace(PLAN.optimisation, steps=0, steps_again=0))
    given = [tmp_path / "one.pt", tmp_path / "other.pt"]
    for seed, path in enumerate(given):
        torch.manual_seed(seed)
        torch.save({"network": TinyI3D().state_dict()}, path)
    learn(plan, clips, tmp_path, torch.device("cpu"), given)
    one, other, mean = (
        torch.load(path, weights_only=True)["network"]["units.weight"]
        for path in (*given, tmp_path / "best.pt")
    )
    assert torch.allclose(mean, (one + other) / 2)
    assert (tmp_path / "tiny_i3d.onnx").exists()


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_weights_that_are_none(clips: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "best.pt"
    if content is None:
        torch.save({"network": {"stem": torch.zeros(3)}}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="holds no weights of this network"):
        learn(PLAN, clips, tmp_path, torch.device("cpu"), [path])


def test_further_parts_are_trained_on_if_asked_for(clips: Path, tmp_path: Path) -> None:
    for number, part in enumerate(MORE, 5):
        (clips / part).mkdir()
        clip(number).save(clips / part / f"rendered-{PARTS[part]:06d}.npz")
    (run := tmp_path / "run").mkdir()
    plan = replace(PLAN, clips=ClipPlan(slight=1, quiet=1, vivid=1))
    learn(plan, clips, run, torch.device("cpu"))
    assert "33 rendered" in OnnxEngine(run / "tiny_i3d.onnx").card.trained_on


def test_a_missing_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        main(["--config", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "run")])


def test_the_forms_in_8_and_16_bits_say_nearly_the_same(clips: Path, tmp_path: Path) -> None:
    (run := tmp_path / "run").mkdir()
    learn(PLAN, clips, run, torch.device("cpu"))
    whole, rounded = (OnnxEngine(run / name) for name in ("tiny_i3d.onnx", "tiny_i3d_int8.onnx"))
    assert rounded.card == whole.card
    flow = Clips([clips / "test"], ["rendered"]).whole(3).flow[0].numpy()
    answers = []
    for engine in (whole, rounded):
        state, said = engine.first_state(), []
        for time in range(flow.shape[1]):
            reading, state = engine.step(np.ascontiguousarray(flow[:, time]), state)
            said.append(reading.logits.copy())
        answers.append(np.array(said))
    spread = np.ptp(answers[0])
    assert 0.0 < np.abs(answers[0] - answers[1]).max() < 0.2 * max(spread, 0.5)
    half = OnnxEngine(run / "tiny_i3d_fp16.onnx")
    assert half.card == whole.card
    assert 0.0 < compare(half, whole, tolerance=HALF).worst < HALF
