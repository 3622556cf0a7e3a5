"""The node that reads action units and micro-expressions out of the flow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from emopulse_ros.detection.best_engine import BestEngine
from emopulse_ros.detection.detector import Detector, detect
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
    "what runs the network: onnx (ONNX Runtime, one core), tensorrt, cuda (ONNX Runtime on a GPU), "
    "or auto for the best there is, and one core until TensorRT's plan is built",
)
HUMANS = Parameter(
    "humans",
    "own",
    "topics of REP-155, /humans/faces: own publishes list, regions and action units of the faces; "
    "follow takes ids and regions of another face detector; off publishes none",
)


QUIET_S = 1.0
"""After this long without any step nobody is there. By arrival, not by stamps, for those stand
still with a bag; of 200 Hz played as slowly as can be, steps come every half of it."""

LOOK_S = 0.25
"""How often the node looks whether steps still come."""


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
    subscription: Subscription[FlowStep] | None = None
    _overwritten = 0
    _engine: BestEngine | None = None
    _humans: Humans | None = None
    _heard = 0.0

    def allocate(self) -> None:
        if self.settings["humans"] not in ("own", "follow", "off"):
            raise ValueError(f"humans is '{self.settings['humans']}': it is own, follow or off")
        log = self.get_logger()
        self._engine = engine = open_live_engine(
            path_of(self.settings["model"]),
            self.settings["engine"],
            inform=lambda told: log.info(told),
            warn=lambda told: log.warning(told),
            over=self.over,
            faces=self.settings["faces"],
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
        self.subscription = self.subscribe(
            FLOW,
            "flow",
            self._process,
            qualities.flow(self.settings["queue_depth"] * self.settings["faces"]),
        )
        self.look_every(LOOK_S, self._flush_if_quiet)

    def stop(self) -> None:
        self._overwritten, self.subscription = self.overwritten, None
        self._flush(self._readers.retire())
        humans, self._humans = self._humans, None
        if humans is not None:
            humans.close()

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
        subscription = self.subscription
        return 0 if subscription is None else subscription.waiting

    @property
    def overwritten(self) -> int:
        """Steps that gave way to newer ones before they were read."""
        subscription = self.subscription
        return self._overwritten + (0 if subscription is None else subscription.overwritten)

    def health(self) -> Health:
        card, engine = self.card, self._engine
        assert card is not None
        assert engine is not None
        values = {
            **self._vitals(self.published, self._newest),
            "activations": str(self.published),
            "micro-expressions": str(self.events),
            "overwritten in the queue": str(self.overwritten),
            "fields of no use": str(0 if self.subscription is None else self.subscription.refused),
            "fields that failed": str(self.errors),
            "model": card.name,
            "engine": engine.describe(),
            "steps at which the GPU failed": str(engine.failures),
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
        assert self.subscription is not None
        self.hop.add(self.subscription.waited_ms)
        begun = self._heard = time.perf_counter()
        steps = self._with_others(step)
        readers = [self._readers(one.face_id, one.stamp) for one in steps]
        try:
            activations = detect([detector for detector, _ in readers], steps)
        except Exception:
            # What fails fails for all of them; one is counted where this ends.
            self.errors += len(steps) - 1
            raise
        events = [finder(one) for (_, finder), one in zip(readers, activations, strict=True)]
        detected = time.perf_counter()
        for one, activation in zip(steps, activations, strict=True):
            self._publish(one, activation)
        self.publish_time.add(1e3 * (time.perf_counter() - detected))
        self.detection_time.add(1e3 * (detected - begun))
        for event in events:
            if event is not None:
                self._tell(event)
        self._flush(self._readers.retire(step.stamp))

    def _with_others(self, step: FlowStep) -> list[FlowStep]:
        """A step and those of other faces of the same moment that wait already, where one piece of
        work for all of them is less than one for each."""
        assert self.subscription is not None
        assert self._engine is not None
        steps = [step]

        def suits(other: FlowStep) -> bool:
            return (
                other.stamp == step.stamp
                and other.channels == step.channels
                and all(other.face_id != one.face_id for one in steps)
            )

        while len(steps) < self._engine.at_once:
            other = self.subscription.take_next(suits)
            if other is None:
                break
            steps.append(other)
        return steps

    def _publish(self, step: FlowStep, activation: Activation) -> None:
        self._activations.publish(activation)
        latency = since(activation.stamp, self._now)
        self.latency.add(latency)
        if self._humans is not None:
            self._humans.tell(step, activation)
        self.published += 1
        self._newest = step.stamp
        if self.on_activation is not None:
            self.on_activation(activation, latency)

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

    def _flush_if_quiet(self) -> None:
        """Once no step comes any more, let go of the faces that were there."""
        if not self.waiting and time.perf_counter() - self._heard > QUIET_S:
            self._flush(self._readers.retire())

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
