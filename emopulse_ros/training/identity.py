"""How well a network's features tell people apart: they should not.

A linear probe (Alain & Bengio, "Understanding intermediate layers using linear classifier probes",
2016) on the features the action units are read from. A person is rendered several times, with the
same face, skin and light but doing different things; the probe learns on some of these clips and
is tested on the others, each in its turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emopulse_ros.synthesis.scene import Scene
from emopulse_ros.synthesis.script import Script
from emopulse_ros.training.clips import MakeScene, make_clips
from emopulse_ros.training.configuration import PARTS
from emopulse_ros.training.dataset import Clips
from emopulse_ros.training.network import TinyI3D

CLIPS_EACH = 6
"""Clips of each person."""

TURNS = 3
"""How many probes are fitted, each tested on other clips, so that every clip is tested on once."""

EVERY = 10
"""Of how many frames one is used: those next to each other say the same."""

NAME = "people"


@dataclass(frozen=True, slots=True)
class Probe:
    """Share of frames whose person the probe named, and what guessing would have given."""

    accuracy: float
    chance: float


def make_people(folder: Path, number: int, make_scene: MakeScene) -> None:
    """Make the clips of some people that ``folder`` does not hold yet."""

    def of_person(seed: int, script: Script) -> Scene:
        return make_scene(seed - seed % CLIPS_EACH, script)

    first = PARTS["people"] - PARTS["people"] % CLIPS_EACH
    seeds = list(range(first, first + number * CLIPS_EACH))
    make_clips(folder, seeds, of_person, NAME, "natural")


def probe_identity(network: TinyI3D, people: Clips, device: torch.device) -> Probe:
    """Fit probes to the features of some clips of each person, and try them on the others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = np.array([int(path.stem.rpartition("-")[2]) for path in people.paths])
    persons = numbers // CLIPS_EACH
    features = [_features(network, people, index, device) for index in range(len(people))]
    scores = []
    for turn in range(TURNS):
        tried = numbers % CLIPS_EACH * TURNS // CLIPS_EACH == turn
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        probe.fit(*_stacked(features, persons, ~tried))
        scores.append(probe.score(*_stacked(features, persons, tried)))
    return Probe(float(np.mean(scores)), 1.0 / len(set(persons)))


def _features(
    network: TinyI3D, people: Clips, index: int, device: torch.device
) -> NDArray[np.float32]:
    network.eval()
    with torch.no_grad():
        reading = network(people.whole(index).flow.to(device))
    features: NDArray[np.float32] = reading.features[0].T.float().cpu().numpy()
    return features[network.shape.frames :: EVERY]


def _stacked(
    features: list[NDArray[np.float32]], person: NDArray[np.int64], part: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    chosen = np.flatnonzero(part)
    rows = [features[index] for index in chosen]
    return np.concatenate(rows), np.repeat(person[chosen], [len(row) for row in rows])
