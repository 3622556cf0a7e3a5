"""From a folder of images and a table to a score, with the face of the synthetic camera."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from emopulse_ros.camera import SyntheticCamera
from emopulse_ros.evaluation.assessment import Assessment, assess
from emopulse_ros.evaluation.datasets.samm_long import load_samm_long
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.pipeline import build

from .trees import samm_long_table

SECONDS, STEP = 2.0, 5_000_000


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the synthetic camera as if they were a long video of SAMM."""
    root = tmp_path_factory.mktemp("samm_long")
    folder = root / "SAMM_longvideos" / "006_1"
    folder.mkdir(parents=True)
    camera = SyntheticCamera(7, SECONDS)
    for frame in camera:
        cv2.imwrite(str(folder / f"006_1_{frame.sequence + 1:04d}.png"), frame.image)
    assert camera.script is not None
    rows = [
        (
            f"006_1_{number}",
            *(1 + round(at / STEP) for at in (move.onset, move.apex, move.offset)),
            "Micro - 1/2",
            "+".join(f"AU{code}" for code in move.aus),
        )
        for number, move in enumerate(camera.script.movements, start=1)
        if move.kind == "micro" and move.offset < SECONDS * 1e9
    ]
    samm_long_table(root, *rows)
    return root


def assessed(tree: Path) -> Assessment:
    (clip,) = load_samm_long(tree).clips
    with clip.camera() as camera, build() as pipeline:
        return assess(camera, pipeline, lambda _: clip.truth)


def test_a_folder_scores_as_the_camera_it_was_taken_from(tree: Path) -> None:
    with SyntheticCamera(7, SECONDS) as camera, build() as pipeline:
        script = camera.script
        assert script is not None
        direct = assess(camera, pipeline, lambda _: truth_of(script))
    found = assessed(tree)
    assert np.array_equal(found.recording.stamp, direct.recording.stamp)
    assert np.array_equal(found.recording.probability, direct.recording.probability)
    assert found.report is not None
    assert direct.report is not None
    assert found.report.events == direct.report.events
    assert (found.report.events.true, found.report.events.hits) == (2, 2)
    # Of units the table does not name nothing is known, so nothing is scored.
    counts, codes = found.report.counts, np.array(found.report.codes)
    scored = counts.tp + counts.fp + counts.fn + counts.tn > 0
    assert codes[scored].tolist() == [9, 10, 25]
    assert counts.f1[codes == 9] > 0.5


def test_images_that_cannot_be_read_are_a_note(tree: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(tree, tmp_path / "copy"))
    folder = root / "SAMM_longvideos" / "006_1"
    for number in (300, 301):
        (folder / f"006_1_{number:04d}.png").write_bytes(b"")
    (folder / "006_1_0320.png").unlink()
    found = assessed(root)
    assert len(found.stream.stamps) == 397
    assert found.stream.gaps.tolist() == [15.0, 10.0]
    (note,) = found.stream.notes
    assert note.startswith("2 of 399 images in ")
