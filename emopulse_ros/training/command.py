"""``emopulse train``: clips, training, calibration, scores, export and model card in one go."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.benchmark.contenders import AlwaysActive
from emopulse_ros.training.attention import attention_peaks
from emopulse_ros.training.calibration import best_thresholds, platt
from emopulse_ros.training.card import Findings, write_card
from emopulse_ros.training.configuration import MORE, SOURCES, Configuration, read_configuration
from emopulse_ros.training.dataset import Clips
from emopulse_ros.training.export import export
from emopulse_ros.training.halve import halve
from emopulse_ros.training.identity import NAME, Probe, probe_identity
from emopulse_ros.training.loop import read_clips, train
from emopulse_ros.training.magnitude import export_magnitude, train_magnitude
from emopulse_ros.training.making import make_parts
from emopulse_ros.training.network import Shape, TinyI3D
from emopulse_ros.training.quantise import quantise
from emopulse_ros.training.readings import fit_readings
from emopulse_ros.training.scores import Result, result
from emopulse_ros.training.weights import load_weights

SAMPLES = 8
"""Batches on which the norms of a model file are measured."""


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="emopulse train", description=__doc__)
    parser.add_argument("--config", type=Path, help="YAML file; see config/training/")
    parser.add_argument("--face-kit", type=Path, help="your copy of ICT-FaceKit, as one .npz")
    parser.add_argument("--out", type=Path, default=Path("runs/tiny-i3d"), help="folder of the run")
    parser.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="go on from another run's best.pt, or from a model's clip form (tiny_i3d_clip.onnx); "
        "from the mean of several",
    )
    parser.add_argument("--device", default="cpu", help="cpu, or cuda, which holds all clips")
    parser.add_argument("--clips", type=Path, help="folder of the clips (default: OUT/clips)")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status.

    :raises ConfigurationError: for a configuration that cannot be followed.
    :raises ValueError: for a face kit that is none.
    """
    given = arguments(argv)
    plan = read_configuration(given.config) if given.config else Configuration()
    folder: Path = given.out
    folder.mkdir(parents=True, exist_ok=True)
    clips: Path = given.clips or folder / "clips"
    make_parts(plan.clips, clips, given.face_kit)
    learn(plan, clips, folder, torch.device(given.device), given.weights)
    return 0


def learn(
    plan: Configuration,
    clips: Path,
    folder: Path,
    device: torch.device,
    weights: Sequence[Path] = (),
) -> None:
    """Train on the clips, calibrate, score, and write model files and card to ``folder``.

    :raises FileNotFoundError: if there are no such clips, or no such weights.
    :raises ValueError: if the weights are none, or those of another network.
    """
    sources, how = list(plan.sources), plan.optimisation
    parts = ["train", *(part for part in MORE if getattr(plan.clips, part))]
    training = Clips([clips / part for part in parts], sources, plan.flow, device)
    validation = Clips([clips / "validation"], sources, plan.flow, device)
    if how.threads:
        torch.set_num_threads(how.threads)
    torch.manual_seed(how.seed)
    shape = Shape(channels=len(plan.flow.channels))
    network = TinyI3D(
        shape, how.dropout, masks=how.masks, attention=how.attention, baseline=how.baseline
    ).to(device)
    # A unit is active in few frames: begin there, not at one half.
    torch.nn.init.constant_(network.units.bias, -3.0)
    load_weights(weights, network, lambda: _samples(training))
    network = train(network, training, validation, how, folder, device)
    fit_readings(network, training, device)
    logits, truth = read_clips(network, validation, device)
    card = _calibrated(Card(plan.name, "step", recipe=plan.flow), logits, truth)
    card = replace(card, trained_on=_what(training))
    reader = train_magnitude(training, seed=0)
    linear = replace(_calibrated(card, *reader.read(validation)), name="flow-magnitude")
    export_magnitude(reader, linear, folder / "flow_magnitude.onnx")
    test = Clips([clips / "test"], list(SOURCES), plan.flow, device)
    results = [
        *_score(network, card, test, device),
        result("flow magnitude, linear", *reader.read(test), test.lengths, linear),
    ]
    summary = {entry.name: round(entry.mean_f1, 4) for entry in results}
    card = replace(card, scores=json.dumps(summary))
    step, _ = export(network, card, folder)
    quantise(step, validation, folder / "tiny_i3d_int8.onnx")
    halve(step, folder / "tiny_i3d_fp16.onnx")
    peaks = attention_peaks(network, test, device) if how.attention else None
    probe = _probe(network, clips / "people", plan, device)
    found = Findings(results, len(validation), peaks, probe)
    write_card(folder / "model-card.md", card, network, plan, found)
    told = {"f1": summary, "peaks": peaks and asdict(peaks), "identity": probe and asdict(probe)}
    (folder / "scores.json").write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told), flush=True)


def _samples(clips: Clips) -> Iterator[torch.Tensor]:
    """Flow of some clips, as it comes while training."""
    random = np.random.default_rng(0)
    for _ in range(SAMPLES):
        yield clips.draw(random, 8, 64, 0).flow


def _probe(
    network: TinyI3D, people: Path, plan: Configuration, device: torch.device
) -> Probe | None:
    """What the features tell of the person; None without clips of people, as without a kit."""
    if not any(people.glob(f"{NAME}-*.npz")):
        return None
    return probe_identity(network, Clips([people], [NAME], plan.flow, device), device)


def _calibrated(card: Card, logits: NDArray[np.float32], truth: NDArray[np.bool_]) -> Card:
    scale, shift = platt(logits, truth)
    card = replace(card, scale=scale, shift=shift)
    return replace(card, thresholds=best_thresholds(card.probability(logits), truth))


def _score(network: TinyI3D, card: Card, test: Clips, device: torch.device) -> Iterator[Result]:
    """The network on the test part, on each source of it alone, and calling everything active."""
    logits, truth = read_clips(network, test, device)
    yield result("Tiny-I3D", logits, truth, test.lengths, card)
    for source in SOURCES:
        of_it = [path.name.startswith(source) for path in test.paths]
        if any(of_it):
            rows = np.repeat(of_it, test.lengths)
            lengths = [length for length, kept in zip(test.lengths, of_it, strict=True) if kept]
            name = f"Tiny-I3D, {source} alone"
            yield result(name, logits[rows], truth[rows], lengths, card)
    always = AlwaysActive(card).card
    yield result("constant (always active)", logits, truth, test.lengths, always)


def _what(training: Clips) -> str:
    names = [path.name.split("-")[0] for path in training.paths]
    counts = ", ".join(f"{names.count(source)} {source}" for source in SOURCES)
    seconds = sum(len(clip) for clip in training.clips) / 200
    return f"synthetic clips at 200 FPS: {counts}; {seconds / 60:.0f} minutes in all"
