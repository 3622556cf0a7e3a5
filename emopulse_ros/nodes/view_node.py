"""The node that draws what is seen on the camera's picture, while somebody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from sensor_msgs.msg import Image

from emopulse_ros.nodes import qualities
from emopulse_ros.nodes.alone import run_alone
from emopulse_ros.nodes.diagnostics import OK, Health, Vitals
from emopulse_ros.nodes.flow_node import MODEL, path_of
from emopulse_ros.nodes.images import image_adaptation
from emopulse_ros.nodes.messages import FLOW, activation_adaptation, since
from emopulse_ros.nodes.parameters import Parameter, Table
from emopulse_ros.nodes.samples import Samples
from emopulse_ros.nodes.stage_node import AUTOSTART, StageNode
from emopulse_ros.nodes.stamps import clock_of, to_header
from emopulse_ros.pipeline import open_engine
from emopulse_ros.stream import Activation, Frame
from emopulse_ros.transport import Publisher, Subscription, plain
from emopulse_ros.view.paint import Picture, paint
from emopulse_ros.view.pairing import Pairing

LOOK_S = 0.2
"""How often the node looks whether somebody has come to look, or has gone."""


class ViewNode(StageNode):
    """Makes ``camera/annotated`` out of ``camera/image_raw``, ``flow`` and ``au_activation``.

    It subscribes to them while ``camera/annotated`` has a subscriber, and only then.
    """

    own_name: ClassVar[str] = "view_node"
    table: ClassVar[Table] = (
        MODEL,
        Parameter("rate", 30.0, "pictures a second at most", "Hz", (0.1, 1000.0)),
        AUTOSTART,
    )
    published = 0
    """Pictures published."""
    _publisher: Publisher[Any] | None = None
    _pictured: tuple[Subscription[Any], ...] = ()

    def allocate(self) -> None:
        self._levels = open_engine(path_of(self.settings["model"])).card.levels
        self._publisher = self.publisher(plain(Image), "camera/annotated", qualities.looked_at())
        self._pairing = Pairing(self.settings["rate"])
        self._latency, self._work = Samples(), Samples()
        self._now, self._newest = clock_of(self), 0
        self._vitals = Vitals(self._now, self._latency, self._work)
        self._overwritten = 0

    def start(self) -> None:
        self.look_every(LOOK_S, self._look)

    def stop(self) -> None:
        self._unsubscribe()

    def free(self) -> None:
        self._publisher = None

    @property
    def overwritten(self) -> int:
        """Items that gave way to newer ones before they were read."""
        return self._overwritten + sum(one.overwritten for one in self._pictured)

    def health(self) -> Health:
        assert self._publisher is not None
        values = {
            **self._vitals(self.published, self._newest),
            "pictures": str(self.published),
            "pictures passed over": str(self._pairing.passed_over),
            "overwritten in the queues": str(self.overwritten),
            "pictures not sent outside": str(self._publisher.lost),
            "items that failed": str(self.errors),
        }
        if not self._pictured:
            return Health(OK, "nobody looks", values)
        return Health(OK, f"{self._vitals.rate:.0f} pictures a second", values)

    def _look(self) -> None:
        """Subscribe when somebody has come, unsubscribe when the last one has gone."""
        assert self._publisher is not None
        if self._publisher.wanted and not self._pictured:
            self._pictured = (
                self._subscribe(
                    image_adaptation(), "camera/image_raw", self._see, qualities.images()
                ),
                self._subscribe(FLOW, "flow", self._pairing.step, qualities.flow()),
                self._subscribe(
                    activation_adaptation(), "au_activation", self._detect, qualities.activations()
                ),
            )
        elif self._pictured and not self._publisher.wanted:
            self._unsubscribe()

    def _subscribe(self, adaptation: Any, topic: str, take: Any, quality: Any) -> Subscription[Any]:
        return Subscription(
            self, adaptation, topic, lambda item: self.guard(partial(take, item)), quality
        )

    def _unsubscribe(self) -> None:
        for subscription in self._pictured:
            subscription.destroy()
            self._overwritten += subscription.overwritten
        self._pictured = ()
        self._pairing.clear()

    def _see(self, frame: Frame) -> None:
        self._pairing.frame(frame)
        self._draw()

    def _detect(self, activation: Activation) -> None:
        self._pairing.activation(activation)
        self._draw()

    def _draw(self) -> None:
        scene = self._pairing.take()
        if scene is None or self._publisher is None:
            return
        begun = time.perf_counter()
        picture = paint(scene, self._levels)
        self._publisher.publish(_to_image(picture, scene.frame))
        self.published += 1
        self._newest = scene.frame.stamp
        self._latency.add(since(scene.frame.stamp, self._now))
        self._work.add(1e3 * (time.perf_counter() - begun))


def _to_image(picture: Picture, frame: Frame) -> Any:
    """A painted picture as ``bgr8`` image, under the header of its frame."""
    height, width, colours = picture.shape
    message = Image(
        header=to_header(frame.stamp, frame.frame_id),
        height=height,
        width=width,
        encoding="bgr8",
        step=width * colours,
    )
    message.data.frombytes(picture.data.cast("B"))
    return message


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node in a process of its own until it is interrupted; return the exit status."""
    return run_alone(ViewNode, argv)


if __name__ == "__main__":
    sys.exit(main())
