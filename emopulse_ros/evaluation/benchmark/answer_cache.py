"""What models answered to clips, kept so that a run can go on after a stop, or with one more model.

An answer is found again only under what it depends on: the clip and its condition, the model's
file, the program and its libraries. Whatever else is in the folder is left alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from contextlib import suppress
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import emopulse_ros
from emopulse_ros.detection.model import hash_of
from emopulse_ros.evaluation.benchmark.clips import BENCHMARK_VERSION, Clip
from emopulse_ros.evaluation.benchmark.contenders import Contender
from emopulse_ros.evaluation.recording import Recording
from emopulse_ros.stream import MicroExpression

LIBRARIES = ("onnxruntime", "ai-edge-litert", "numba")
"""Besides numpy and OpenCV, which go by several names, those that figures depend on."""

Answer = tuple[int, Recording]
"""How many frames were shown, and what was made of them."""


class AnswerCache:
    """Answers as files in ``folder``, which is made with the first of them."""

    def __init__(self, folder: Path, face_kit: Path | None) -> None:
        self._folder = folder
        kit = hash_of(face_kit) if face_kit else ""
        self._made_with = [BENCHMARK_VERSION, _program(), _libraries(), kit]

    def get(self, clip: Clip, condition: str, contender: Contender) -> Answer | None:
        """What was kept; None if there is nothing, or nothing that can be read."""
        try:
            with np.load(self._file(clip, condition, contender)) as kept:
                return _unpacked({name: kept[name] for name in kept.files})
        except (
            OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error
        ):  # fmt: skip
            return None

    def put(self, clip: Clip, condition: str, contender: Contender, answer: Answer) -> None:
        """Keep an answer; a reader finds all of it or nothing.

        :raises OSError: if it cannot be written.
        """
        path = self._file(clip, condition, contender)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}.part")
        try:
            with half.open("wb") as file:
                np.savez_compressed(file, **_packed(answer))
            half.rename(path)
        finally:
            half.unlink(missing_ok=True)

    def _file(self, clip: Clip, condition: str, contender: Contender) -> Path:
        engine = contender.engine
        # The constant has no file, and the recipe of the model that it is compared with.
        model = [engine.model_hash, engine.card.codes, asdict(engine.card.recipe)]
        key = json.dumps([*self._made_with, asdict(clip), condition, model])
        return self._folder / clip.name / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"


def _program() -> str:
    """A digest of the package's own source: any change may change an answer."""
    root = Path(emopulse_ros.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _libraries() -> list[str]:
    found = [np.__version__, cv2.__version__]
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return found


COLUMNS = tuple(field.name for field in fields(Recording) if field.name not in ("codes", "events"))


def _packed(answer: Answer) -> dict[str, Any]:
    frames, recording = answer
    events = [
        {**asdict(event), "peak_probability": event.peak_probability.tolist()}
        for event in recording.events
    ]
    columns = {name: getattr(recording, name) for name in COLUMNS}
    return {"frames": frames, "codes": recording.codes, "events": json.dumps(events), **columns}


def _unpacked(kept: dict[str, Any]) -> Answer:
    events = [
        {
            **event,
            "aus": tuple(event["aus"]),
            "peak_probability": np.array(event["peak_probability"], np.float32),
        }
        for event in json.loads(str(kept["events"]))
    ]
    recording = Recording(
        codes=tuple(int(code) for code in kept["codes"]),
        **{name: kept[name] for name in COLUMNS},
        events=tuple(MicroExpression(**event) for event in events),
    )
    return int(kept["frames"]), recording
