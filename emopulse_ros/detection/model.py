"""The model file: an ONNX network that says what it is.

Everything the runtime must know is metadata inside the file: the action units and their order,
how the flow it reads is made, its calibration and thresholds, what it was trained on and how well
it did. A file without that is not ours and is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import CODES, unit
from emopulse_ros.flow.recipe import FlowRecipe, RecipeError

FORMAT = "1"
"""Version of the metadata this code reads and writes."""


class ModelError(ValueError):
    """A model file is missing, unreadable, or not what it should be."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a model file says of itself.

    ``form`` is "step" or "clip". ``tick_ms`` is the time between two of its steps. ``scale`` and
    ``shift``, one for each unit, turn a logit into that of a calibrated probability (Platt,
    "Probabilistic outputs for support vector machines", 1999). ``thresholds`` are the
    probabilities from which a unit counts as active.
    """

    name: str
    form: str
    codes: tuple[int, ...] = CODES
    recipe: FlowRecipe = field(default_factory=FlowRecipe)
    tick_ms: float = 5.0
    scale: tuple[float, ...] = (1.0,) * len(CODES)
    shift: tuple[float, ...] = (0.0,) * len(CODES)
    thresholds: tuple[float, ...] = (0.5,) * len(CODES)
    trained_on: str = "nothing yet"
    scores: str = "{}"
    _calibration: NDArray[np.float32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        calibration = np.array([self.scale, self.shift], np.float32)
        object.__setattr__(self, "_calibration", calibration)

    @property
    def levels(self) -> dict[int, float]:
        """The thresholds by FACS code."""
        return dict(zip(self.codes, self.thresholds, strict=True))

    def as_text(self) -> dict[str, str]:
        """The card as the ONNX file's metadata."""
        return {
            "emopulse_format": FORMAT,
            "name": self.name,
            "form": self.form,
            "action_units": json.dumps(self.codes),
            "tick_ms": f"{self.tick_ms:g}",
            "calibration_scale": json.dumps(self.scale),
            "calibration_shift": json.dumps(self.shift),
            "thresholds": json.dumps(self.thresholds),
            "trained_on": self.trained_on,
            "scores": self.scores,
            **self.recipe.as_text(),
        }

    @classmethod
    def from_text(cls, text: Mapping[str, str], path: Path) -> Card:
        """Read the card from a file's metadata.

        :raises ModelError: if it is not one of ours, or of a format this version cannot read.
        """
        version = text.get("emopulse_format")
        if version is None:
            raise ModelError(
                f"{path} is an ONNX file, but no EmoPulse model: it does not say which action "
                "units it detects; take one that `emopulse train` made"
            )
        if version != FORMAT:
            raise ModelError(
                f"{path} has model format {version}, this version reads {FORMAT}: "
                "take a model made for this version"
            )
        try:
            codes = tuple(int(code) for code in json.loads(text["action_units"]))
            for code in codes:
                unit(code)
            numbers = {
                key: tuple(float(value) for value in json.loads(text[name]))
                for key, name in (
                    ("scale", "calibration_scale"),
                    ("shift", "calibration_shift"),
                    ("thresholds", "thresholds"),
                )
            }
            if any(len(values) != len(codes) for values in numbers.values()):
                raise ValueError("calibration or thresholds do not fit the list of action units")
            return cls(
                name=text["name"],
                form=text["form"],
                codes=codes,
                recipe=FlowRecipe.from_text(text),
                tick_ms=float(text["tick_ms"]),
                trained_on=text.get("trained_on", ""),
                scores=text.get("scores", "{}"),
                **numbers,
            )
        except RecipeError as error:
            raise ModelError(f"{path}: {error}") from error
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(f"{path}: its metadata cannot be read ({error})") from error

    def probability(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated probabilities for logits ``(A,) float32``."""
        scale, shift = self._calibration
        scaled = logits * scale + shift
        probability: NDArray[np.float32] = np.reciprocal(1.0 + np.exp(-scaled.clip(-30.0, 30.0)))
        return probability


SHIPPED = {"step": "tiny_i3d.onnx", "clip": "tiny_i3d_clip.onnx", "int8": "tiny_i3d_int8.onnx"}
"""The files of the model that comes with the package; ``int8`` is the step form in 8 bits."""


HALF_ENDING = "_fp16"
"""What the name of a file ends in that holds the same model in 16 bits, for a GPU."""


def shipped_model(form: str = "step") -> Path:
    """The model that comes with the package, in one of its forms."""
    return Path(__file__).parent.parent / "models" / SHIPPED[form]


def model_at(named: Path | None) -> Path:
    """The file of a model: the one named, or for None and ``int8`` that of the package."""
    if named is None:
        return shipped_model()
    return shipped_model("int8") if str(named) == "int8" else named


def half_of(model: Path) -> Path | None:
    """The file beside a model that holds the same in 16 bits, if there is one."""
    half = model.with_name(f"{model.stem}{HALF_ENDING}{model.suffix}")
    return half if half.is_file() else None


def hash_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    :raises ModelError: if it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error
