"""The node that reads action units and micro-expressions out of the flow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from emopulse_ros.detection.best_engine import BestEngine
from emopulse_ros.detection.detector import Detector
from emopulse_ros.detection.events import EventFinder
from emopulse_ros.detection.model import Card
from emopulse_ros.nodes import qualities
from emopulse_ros.nodes.alone import run_alone
from emopulse_ros.nodes.diagnostics import ERROR, OK, WARN, Health, Vitals
from emopulse_ros.nodes.each_face import EachFace
from emopulse_ros.nodes.flow_node import FACES, MODEL, QUEUE, path_of
from emopulse_ros.nodes.humans import Humans, installed
from emopulse_ros.nodes.messages import EVENTS, FLOW, activation_adaptation, since
from emopulse_ros.nodes.parameters import Parameter, Table
from emopulse_ros.nodes.samples import Samples
from emopulse_ros.nodes.stage_node import AUTOSTART, StageNode
from emopulse_ros.nodes.stamps import clock_of
from emopulse_ros.pipeline import event_finder, open_live_engine
from emopulse_ros.stream import Activation, FlowStep, MicroExpression
from emopulse_ros.transport import Subscription

ENGINE = Parameter(
    "engine",
    "auto",
    "what runs the network: onnx (ONNX Runtime, one core), tensorrt, or auto for TensorRT where "
    "there is a GPU, and ONNX Runtime until its plan is built",
)
HUMANS = Parameter(
    "humans",
    "own",
    "topics of REP-155, /humans/faces: own publishes list, regions and action units of the faces; "
    "follow takes ids and regions of another face detector; off publishes none",
)


class AuNode(StageNode):
    """Makes ``au_activation`` and ``micro_expression`` out of ``flow``."""

    own_name: ClassVar[str] = "au_node"
    table: ClassVar[Table] = (MODEL, ENGINE, FACES, HUMANS, QUEUE, AUTOSTART)
    card: Card | None = None
    """What the model says of itself."""
    published = 0
    """Activations published."""
    events = 0
    """Micro-expressions published."""
    on_activation: Callable[[Activation, float], None] | None = None
    """Called after each activation is published, with its latency in ms; must be quick."""
    on_event: Callable[[MicroExpression], None] | None = None
    """Called after each micro-expression is published; must be quick."""
    _overwritten = 0
    _engine: BestEngine | None = None

    def allocate(self) -> None:
        if self.settings["humans"] not in ("own", "follow", "off"):
            raise ValueError(f"humans is '{self.settings['humans']}': it is own, follow or off")
        log = self.get_logger()
        self._engine = engine = open_live_engine(
            path_of(self.settings["model"]),
            self.settings["engine"],
            inform=lambda told: log.info(told),
            warn=lambda told: log.warning(told),
        )
        self._readers = EachFace(lambda: (Detector(engine), event_finder(engine)))
        # Small, and what it is all for: published in this very call, and none gives way.
        self._now = clock_of(self)
        self._activations = self.publisher(
            activation_adaptation(self._now),
            "au_activation",
            qualities.activations(),
            inline=True,
        )
        self._events = self.publisher(EVENTS, "micro_expression", qualities.events(), inline=True)
        self.card = engine.card
        self.hop, self.detection_time, self.publish_time = Samples(), Samples(), Samples()
        """From the flow node's publishing until here, in detection and events, in publishing."""
        self.latency = Samples()
        """From capture until the activation was published, ms."""
        self._newest = 0
        self._vitals = Vitals(self._now, self.latency, self.detection_time, self.publish_time)

    def start(self) -> None:
        self._humans = self._open_humans()
        self.subscription = Subscription(
            self,
            FLOW,
            "flow",
            lambda step: self.guard(partial(self._process, step)),
            qualities.flow(self.settings["queue_depth"] * self.settings["faces"]),
        )

    def stop(self) -> None:
        self.subscription.destroy()
        self._overwritten += self.subscription.overwritten
        self._flush(self._readers.retire())
        if self._humans is not None:
            self._humans.close()

    def free(self) -> None:
        self.card = None
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    @property
    def engine(self) -> str:
        """What runs the network, in words."""
        return "none yet" if self._engine is None else self._engine.describe()

    @property
    def waiting(self) -> int:
        return self.subscription.waiting if self._is_running else 0

    @property
    def overwritten(self) -> int:
        """Steps that gave way to newer ones before they were read."""
        return self._overwritten + (self.subscription.overwritten if self._is_running else 0)

    def health(self) -> Health:
        card, engine = self.card, self._engine
        assert card is not None
        assert engine is not None
        values = {
            **self._vitals(self.published, self._newest),
            "activations": str(self.published),
            "micro-expressions": str(self.events),
            "overwritten in the queue": str(self.overwritten),
            "fields of no use": str(self.subscription.refused),
            "fields that failed": str(self.errors),
            "model": card.name,
            "engine": engine.describe(),
            "steps at which TensorRT failed": str(engine.failures),
        }
        if self._humans is not None:
            values["faces without a name"] = str(self._humans.nameless)
        rate, median = self._vitals.rate, self._vitals.median
        if self.errors and rate == 0.0:
            return Health(ERROR, "no activations: every field fails, see the log", values)
        if engine.trouble:
            return Health(WARN, engine.trouble, values)
        if rate == 0.0:
            return Health(OK, "no face, no activations", values)
        return Health(OK, f"{rate:.0f} activations a second, {median:.1f} ms old", values)

    def _process(self, step: FlowStep) -> None:
        self.hop.add(self.subscription.waited_ms)
        begun = time.perf_counter()
        detector, finder = self._readers(step.face_id, step.stamp)
        activation = detector(step)
        event = finder(activation)
        detected = time.perf_counter()
        self._activations.publish(activation)
        latency = since(activation.stamp, self._now)
        self.latency.add(latency)
        if self._humans is not None:
            self._humans.tell(step, activation)
        self.publish_time.add(1e3 * (time.perf_counter() - detected))
        self.detection_time.add(1e3 * (detected - begun))
        self.published += 1
        self._newest = step.stamp
        if self.on_activation is not None:
            self.on_activation(activation, latency)
        if event is not None:
            self._tell(event)
        self._flush(self._readers.retire(step.stamp))

    def _open_humans(self) -> Humans | None:
        """The topics of REP-155, if they are wanted and can be had."""
        how = self.settings["humans"]
        if how == "off":
            return None
        if not installed():
            self.get_logger().info(
                "hri_msgs is not installed, so nothing is published on /humans/faces: "
                "install ros-$ROS_DISTRO-hri-msgs, or set the parameter humans to off"
            )
            return None
        return Humans(self, follow=how == "follow")

    def _flush(self, readers: Iterable[tuple[Detector, EventFinder]]) -> None:
        """Tell what faces that have gone had shown to the end."""
        for _, finder in readers:
            event = finder.flush()
            if event is not None:
                self._tell(event)

    def _tell(self, event: MicroExpression) -> None:
        self._events.publish(event)
        self.events += 1
        if self.on_event is not None:
            self.on_event(event)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node in a process of its own until it is interrupted; return the exit status."""
    return run_alone(AuNode, argv)


if __name__ == "__main__":
    sys.exit(main())
