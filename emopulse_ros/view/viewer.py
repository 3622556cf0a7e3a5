"""Shows a stream to whoever looks, in a thread beside it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from emopulse_ros.camera.source import Closing
from emopulse_ros.stream import Activation, FlowStep, Frame, MicroExpression
from emopulse_ros.view.annotation import Annotation, annotate
from emopulse_ros.view.health import Health, Pulse, Standing
from emopulse_ros.view.pairing import Pairing

PICTURES = 30.0
"""Most pictures a second: what an eye follows."""

TURN_S = 1.0 / 60.0
"""Between two looks at what has come, while somebody watches."""

IDLE_S = 0.1
"""Between two looks whether somebody does."""

HEALTH_S = 1.0

LIMIT = 400
"""Activations that may wait for the thread: two seconds of them."""

LATENCIES = 4000
"""Those of the last second at most: of sixteen faces, 250 times."""

Answer = tuple[Activation, float]


class Screen(Protocol):
    """Where it is shown: a :class:`~emopulse_ros.view.server.Server`."""

    @property
    def wants_pictures(self) -> bool: ...
    @property
    def wants_curves(self) -> bool: ...
    @property
    def wants_health(self) -> bool: ...
    @property
    def is_watched(self) -> bool: ...

    def picture(self, frame: Frame, annotation: Annotation) -> None: ...
    def curves(self, activation: Activation, latency_ms: float) -> None: ...
    def event(self, event: MicroExpression) -> None: ...
    def health(self, health: Health, stamp: int) -> None: ...


class Viewer(Closing):
    """Takes what travels down a stream, and shows it on a screen from :meth:`start` on.

    The stream's threads call :meth:`frame`, :meth:`step`, :meth:`activation` and :meth:`event`:
    while nobody watches each is a look at a flag, else it keeps a reference. What is not shown in
    time gives way to what is newer, and is counted. Of several faces picture and curves show the
    same one.
    """

    def __init__(self, screen: Screen) -> None:
        self.pictures = 0
        """Pictures shown."""
        self.error: Exception | None = None
        """Why nothing is shown any more."""
        self._screen = screen
        self._watched = self._pictured = False
        self._lock = threading.Lock()
        self._pairing = Pairing(PICTURES)
        self._answers: deque[Answer] = deque()
        self._events: deque[MicroExpression] = deque(maxlen=LIMIT)
        self._overrun = 0
        self._levels: Mapping[int, float] = {}
        self._standing: Callable[[], Standing] = Standing
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, levels: Mapping[int, float], standing: Callable[[], Standing]) -> None:
        """Begin; ``levels`` are the model's thresholds, ``standing`` tells how the stream is."""
        self._levels, self._standing = levels, standing
        self._thread = threading.Thread(target=self._run, name="viewer", daemon=True)
        self._thread.start()

    @property
    def not_shown(self) -> int:
        """Pictures that were due and curves that were asked for, and gave way to newer ones."""
        return self._pairing.passed_over + self._overrun

    def frame(self, frame: Frame) -> None:
        """Take a picture."""
        if self._pictured:
            with self._lock:
                self._pairing.frame(frame)

    def step(self, step: FlowStep) -> None:
        """Take how the skin moved."""
        if self._pictured:
            with self._lock:
                self._pairing.step(step)

    def activation(self, activation: Activation, latency_ms: float) -> None:
        """Take what was detected, and how many ms after the capture."""
        if not self._watched:
            return
        with self._lock:
            self._latencies.append(latency_ms)
            if not self._pairing.shows(activation):
                return
            if self._pictured:
                self._pairing.activation(activation)
            self._answers.append((activation, latency_ms))
            if len(self._answers) > LIMIT:
                self._answers.popleft()
                self._overrun += 1

    def event(self, event: MicroExpression) -> None:
        """Take a micro-expression; it is shown to who watches when it comes."""
        self._events.append(event)

    def close(self) -> None:
        """Show what has come, and end; safe to call twice."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._show()
        except Exception as error:
            self.error = error
        finally:
            self._watched = self._pictured = False

    def _show(self) -> None:
        pulse, told = Pulse(time.monotonic()), time.monotonic()
        while not self._over.wait(TURN_S if self._watched else IDLE_S):
            self._turn()
            now = time.monotonic()
            if now - told >= HEALTH_S:
                told = now
                with self._lock:
                    latencies = list(self._latencies)
                    self._latencies.clear()
                health = pulse(now, self._standing(), latencies, self.not_shown)
                if self._screen.wants_health:
                    self._screen.health(health, time.time_ns())
        self._turn()

    def _turn(self) -> None:
        """Show what has come since the last turn."""
        pictured, self._watched = self._screen.wants_pictures, self._screen.is_watched
        with self._lock:
            if pictured != self._pictured:
                self._pairing.clear()
                self._pictured = pictured
            scene = self._pairing.take()
            answers = list(self._answers)
            self._answers.clear()
        if self._screen.wants_curves:
            for answer in answers:
                self._screen.curves(*answer)
        if scene is not None:
            self._screen.picture(scene.frame, annotate(scene, self._levels))
            self.pictures += 1
        while self._events:
            self._screen.event(self._events.popleft())
