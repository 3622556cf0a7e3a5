"""Puts together what belongs to one picture, by its capture stamp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from emopulse_ros.stream import Activation, FlowStep, Frame
from emopulse_ros.view.one_face import OneFace

PATIENCE_MS = 150.0
"""Stream time after which a picture is taken to show no face: nothing was said of it."""

KEPT = 64
"""Steps and activations that are remembered: more than come in that time at 240 a second."""

Item = TypeVar("Item", FlowStep, Activation)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture and what was seen in it; both are None where there was no face to follow."""

    frame: Frame
    step: FlowStep | None = None
    activation: Activation | None = None


class Pairing:
    """Keeps a picture now and then, until the answers of the very same stamp have come.

    Pictures, flow and activations come by ways of their own, in any order. message_filters could
    pair them too, but not tell a picture without a face, of which no activation ever comes, and it
    is not everywhere. ``rate`` is how many pictures of a second are kept at most. Of several faces
    the one that came first is told of, until it has gone.
    """

    def __init__(self, rate: float) -> None:
        self.passed_over = 0
        """Pictures that were kept and gave way to newer ones before they were taken."""
        self._period = round(1e9 / rate)
        self._frames: dict[int, Frame] = {}
        self._steps: dict[int, FlowStep] = {}
        self._activations: dict[int, Activation] = {}
        self._newest = self._due = 0
        self._shown = OneFace()

    def frame(self, frame: Frame) -> None:
        """Keep a picture, if it is time for one; of a stream that begins anew nothing old is."""
        if frame.stamp < self._newest:
            self.clear()
        self._newest = frame.stamp
        if frame.stamp < self._due:
            return
        self._due = max(self._due + self._period, frame.stamp)
        self._frames[frame.stamp] = frame
        if len(self._frames) > KEPT:
            del self._frames[next(iter(self._frames))]
            self.passed_over += 1

    def step(self, step: FlowStep) -> None:
        """Remember how the skin moved in a picture."""
        if self._shown(step.face_id, step.stamp):
            _remember(self._steps, step)

    def activation(self, activation: Activation) -> None:
        """Remember what was detected in a picture."""
        if self.shows(activation):
            _remember(self._activations, activation)

    def shows(self, activation: Activation) -> bool:
        """Whether it is of the face that is told of."""
        return self._shown(activation.face_id, activation.stamp)

    def take(self) -> Scene | None:
        """The newest scene that is complete, each once; None if there is none yet."""
        for stamp in reversed(self._frames):
            scene = self._scene(stamp)
            if scene is not None:
                self._forget_until(stamp)
                return scene
        return None

    def clear(self) -> None:
        """Forget everything but the count, and which face is told of."""
        self._frames.clear()
        self._steps.clear()
        self._activations.clear()
        self._newest = self._due = 0

    def _scene(self, stamp: int) -> Scene | None:
        step, activation = self._steps.get(stamp), self._activations.get(stamp)
        if step is not None and activation is not None:
            return Scene(self._frames[stamp], step, activation)
        if self._newest - stamp >= PATIENCE_MS * 1e6:
            return Scene(self._frames[stamp])
        return None

    def _forget_until(self, stamp: int) -> None:
        older = [kept for kept in self._frames if kept <= stamp]
        self.passed_over += len(older) - 1
        for kept in older:
            del self._frames[kept]


def _remember(items: dict[int, Item], item: Item) -> None:
    items[item.stamp] = item
    if len(items) > KEPT:
        del items[next(iter(items))]
