"""What the viewer gives to a screen, whatever that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from emopulse_ros.stream import Activation, Frame, MicroExpression
from emopulse_ros.view.annotation import Annotation
from emopulse_ros.view.health import Health, Standing
from emopulse_ros.view.viewer import Viewer
from view.scenes import LEVELS, activation, frame, step


class Screen:
    """Remembers what it is to show."""

    def __init__(self) -> None:
        self.wants_pictures = False
        self.wants_curves = self.wants_health = self.is_watched = True
        self.faces: list[int] = []
        self.labels: list[tuple[str, ...]] = []
        self.medians: list[float | None] = []

    def picture(self, _: Frame, annotation: Annotation) -> None:
        self.labels.append(tuple(annotation.labels))

    def curves(self, activation: Activation, _: float) -> None:
        self.faces.append(activation.face_id)

    def event(self, event: MicroExpression) -> None: ...

    def health(self, health: Health, _: int) -> None:
        self.medians.append(health.latency_median_ms)


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def viewer(screen: Screen, soon: Any) -> Iterator[Viewer]:
    with Viewer(screen) as made:
        made.start(LEVELS, Standing)
        assert soon(lambda: made._watched)
        yield made


def show(viewer: Viewer, sequences: Iterable[int], faces: tuple[int, ...] = (2, 1)) -> None:
    """Pictures of some faces, by default of two; the smile of each is another."""
    for sequence in sequences:
        viewer.frame(frame(sequence))
        for face_id in faces:
            viewer.step(replace(step(sequence), face_id=face_id))
            smile = replace(activation(sequence, 0.9 + face_id / 100), face_id=face_id)
            viewer.activation(smile, 2.0 * face_id)


def test_of_several_faces_the_curves_are_those_of_one(
    viewer: Viewer, screen: Screen, soon: Any
) -> None:
    show(viewer, range(50))
    show(viewer, range(50, 150), faces=(1,))
    # The other one takes its place once it has gone for 300 ms.
    assert soon(lambda: len(screen.faces) == 50 + 100 - 60)
    assert screen.faces == [2] * 50 + [1] * 40
    assert viewer.not_shown == 0


def test_curves_and_picture_show_the_same_face(viewer: Viewer, screen: Screen, soon: Any) -> None:
    show(viewer, range(50))
    # Whoever comes to look at the picture as well sees the face whose curves there are.
    screen.wants_pictures = True
    assert soon(lambda: viewer._pictured)
    show(viewer, range(50, 100), faces=(1, 2))
    assert soon(lambda: len(screen.faces) == 100 and screen.labels)
    assert set(screen.faces) == {2}
    assert set(screen.labels) == {("AU12 lip corner puller 0.92",)}


def test_the_latency_of_every_face_counts(viewer: Viewer, screen: Screen, soon: Any) -> None:
    show(viewer, range(50))
    # That of the face whose curves there are is 4 ms, of the other 2.
    assert soon(lambda: any(median is not None and median < 4.0 for median in screen.medians))
