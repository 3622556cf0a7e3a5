"""The types that travel down the stream, from the camera to the micro-expression.

Each is frozen and its arrays are read-only, so that one object can be handed to any number of
readers without a copy. Each carries the capture stamp of the frame it came from, unchanged, in
nanoseconds, and that frame's sequence number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Mark an array read-only and return it; the caller gives up writing to it."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a camera.

    ``image`` is ``(H, W) uint8``, monochrome. ``stamp`` is the time of capture in ns, on the clock
    of the source. ``sequence`` counts the frames the camera took, so that a gap in it is a drop.
    ``frame_id`` names the camera's optical frame (REP-103).
    """

    stamp: int
    sequence: int
    image: NDArray[np.uint8]
    frame_id: str = "camera_optical_frame"


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """One face, held still.

    ``image`` is ``(S, S) uint8``. ``to_image`` is the ``(2, 3) float64`` similarity that takes a
    pixel ``(x, y)`` of the crop to a pixel of the frame. ``face_id`` is new each time a face
    comes into view; one that comes back within a second where it was keeps its own. What follows
    starts clean when it changes, and after a hole. ``frame_size`` is (width, height) of the frame
    in pixels.
    """

    stamp: int
    sequence: int
    face_id: int
    image: NDArray[np.uint8]
    to_image: NDArray[np.float64]
    frame_id: str = "camera_optical_frame"
    frame_size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class FlowStep:
    """How the skin of one face has moved, as seen from one frame.

    ``data`` is ``(C, H, W) float32``, one plane for each name in ``channels``: ``u_160`` and
    ``v_160`` are the displacement in pixels of the flow grid since 160 ms ago (right and down are
    positive), ``strain_160`` its optical strain; ``_neutral`` counts from the neutral face.
    ``to_image`` takes a pixel of the flow grid to a pixel of the frame, whose (width, height) is
    ``frame_size``. ``restarted`` is true on the first step after a gap, or of a new face: the
    reader forgets what it knew.
    """

    stamp: int
    sequence: int
    face_id: int
    data: NDArray[np.float32]
    channels: tuple[str, ...]
    to_image: NDArray[np.float64]
    restarted: bool = False
    frame_id: str = "camera_optical_frame"
    frame_size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Activation:
    """Which action units one face shows at the moment of one frame.

    ``codes`` are FACS codes; ``probability`` ``(A,) float32`` is, for each, the calibrated
    probability of being active, and ``intensity`` ``(A,) float32`` its strength, 0 to 1 of the
    strongest a person can show. ``attention`` is the model's weight of this time step: 1 is
    average, more is a transient peak. ``model`` and ``model_hash`` (SHA-256, hexadecimal) tell
    which network said so.
    """

    stamp: int
    sequence: int
    face_id: int
    codes: tuple[int, ...]
    probability: NDArray[np.float32]
    intensity: NDArray[np.float32]
    attention: float
    model: str
    model_hash: str
    frame_id: str = "camera_optical_frame"


@dataclass(frozen=True, slots=True, eq=False)
class MicroExpression:
    """A brief movement of the face, from onset over apex to offset.

    The three are capture stamps in ns. ``aus`` are the FACS codes that took part and
    ``peak_probability`` ``(len(aus),) float32`` the highest probability of each; ``confidence``,
    0 to 1, is that of the whole. ``stamp`` and ``sequence`` are those of the frame at which the
    event was known to have ended.
    """

    stamp: int
    sequence: int
    face_id: int
    onset: int
    apex: int
    offset: int
    aus: tuple[int, ...]
    peak_probability: NDArray[np.float32]
    confidence: float
    frame_id: str = "camera_optical_frame"

    @property
    def duration_ms(self) -> float:
        """Time from onset to offset in milliseconds."""
        return (self.offset - self.onset) / 1e6


Travelling = Frame | FaceCrop | FlowStep | Activation | MicroExpression
"""Anything that travels down the stream."""
