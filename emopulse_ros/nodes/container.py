"""The three nodes in one process, where frames and flow travel by reference."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rclpy.logging import get_logger
from rclpy.parameter import Parameter

from emopulse_ros.detection.model import Card
from emopulse_ros.nodes.au_node import AuNode
from emopulse_ros.nodes.camera_node import CameraNode
from emopulse_ros.nodes.flow_node import FlowNode
from emopulse_ros.nodes.process import RosProcess, not_for_ros
from emopulse_ros.nodes.stage_node import NAMESPACE
from emopulse_ros.nodes.view_node import ViewNode
from emopulse_ros.stream import Activation, FlowStep, Frame, MicroExpression
from emopulse_ros.synthesis.script import Script

OnFrame = Callable[[Frame], None]
OnStep = Callable[[FlowStep], None]
OnActivation = Callable[[Activation, float], None]
OnEvent = Callable[[MicroExpression], None]


@dataclass(frozen=True, slots=True)
class Counters:
    """What has come through so far.

    ``frames`` reached the face stage, ``faceless`` of them showed no face to follow. ``dropped``
    never got there or, later, to the network: the camera's reader was late, or a queue was full.
    ``late`` are looks for the face that took too long, ``failed`` items that raised an error.
    """

    frames: int
    faceless: int
    activations: int
    events: int
    dropped: int
    late: int
    failed: int


class Container:
    """Camera, flow and AU node of one process; use it as a context manager, or start and stop it.

    ``camera`` is a spec such as ``synthetic:7`` or ``video:PATH``, or ``ros:TOPIC`` for images that
    somebody else publishes. What is None is left to the parameters: their file, given by path, or
    their defaults. ``on_frame``, before it is worked on, ``on_step``, ``on_activation`` (with its
    latency in ms from capture to publish) and ``on_event``, after publishing, are called in the
    stream's threads: they must be quick. If ``annotated``, a view node stands by.
    """

    def __init__(
        self,
        camera: str | None = None,
        *,
        rate: float | None = None,
        size: tuple[int, int] | None = None,
        exposure: float | None = None,
        duration: float | None = None,
        loop: bool | None = None,
        model: str | Path | None = None,
        engine: str | None = None,
        namespace: str = NAMESPACE,
        parameters_file: str | Path | None = None,
        arguments: Sequence[str] = (),
        annotated: bool = False,
        on_frame: OnFrame | None = None,
        on_step: OnStep | None = None,
        on_activation: OnActivation | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        """Make the nodes; ``arguments`` are those of a command line for ROS.

        :raises ValueError: if a parameter or argument cannot be worked with.
        """
        self._process = RosProcess([*arguments, *_parameters(parameters_file)])
        try:
            options: dict[str, Any] = {"context": self._process.context, "namespace": namespace}
            topic = camera.removeprefix("ros:") if camera and camera.startswith("ros:") else None
            self.camera_node: CameraNode | None = None
            if topic is None:
                width, height = size or (None, None)
                given = {
                    "camera": camera,
                    "rate": rate,
                    "width": width,
                    "height": height,
                    "exposure": exposure,
                    "duration": duration,
                    "loop": loop,
                }
                self.camera_node = CameraNode(**options, parameter_overrides=_overrides(given))
                self._process.add(self.camera_node)
            for_model = _overrides({"model": None if model is None else str(model)})
            remap = ["--ros-args", "-r", f"camera/image_raw:={topic}"] if topic else None
            self.flow_node = FlowNode(**options, parameter_overrides=for_model, cli_args=remap)
            self._process.add(self.flow_node)
            for_au = [*for_model, *_overrides({"engine": engine})]
            self.au_node = AuNode(**options, parameter_overrides=for_au)
            self._process.add(self.au_node)
            if annotated:
                self._process.add(
                    ViewNode(**options, parameter_overrides=for_model, cli_args=remap)
                )
        except BaseException:
            self._process.close()
            raise
        self.flow_node.on_frame, self.flow_node.on_step = on_frame, on_step
        self.au_node.on_activation, self.au_node.on_event = on_activation, on_event
        self._never = threading.Event()

    def start(self, *, managed: bool = False) -> None:
        """Configure and activate the nodes; if ``managed`` from outside, those that start alone.

        :raises ValueError, OSError: a sentence on what one of them cannot work with; what was
            begun is undone.
        """
        try:
            self._process.bring_up(managed=managed)
        except BaseException:
            self.stop()
            raise

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the stream has ended, or for some time; return whether it has ended.

        It ends with the camera's last picture, or when ROS is shut down.
        """
        self._process.wait(self.finished, seconds)
        return self.finished.is_set() or self._process.over.is_set()

    def spin(self, seconds: float | None = None) -> None:
        """Wait as :meth:`wait` does.

        :raises OSError: if the camera failed.
        """
        self.wait(seconds)
        if self.camera_node is not None and self.camera_node.error is not None:
            raise self.camera_node.error

    def interruptible(self) -> AbstractContextManager[None]:
        """Within, SIGINT and SIGTERM end the stream; in the main thread only.

        Stop the container within as well: who interrupts often does so twice.
        """
        return self._process.interruptible()

    def stop(self) -> None:
        """Let what is on its way come through, then shut the nodes down; safe to call twice."""
        self._process.close()

    def serve(self) -> None:
        """Run by what the nodes' ``autostart`` says, until the process is told to end.

        It ends with the camera's last picture as well, if it was not left to somebody outside to
        configure and activate the camera.

        :raises ValueError, OSError: a sentence on what cannot be worked with, or has failed.
        """
        self.start(managed=True)
        camera = self.camera_node
        if camera is not None and camera.settings["autostart"]:
            self.spin()
        else:
            self._process.wait(self._never)

    @property
    def finished(self) -> threading.Event:
        """Set after the camera's last picture; never, if the images are somebody else's."""
        return self._never if self.camera_node is None else self.camera_node.finished

    @property
    def card(self) -> Card:
        """What the model says of itself."""
        assert self.au_node.card is not None
        return self.au_node.card

    @property
    def script(self) -> Script | None:
        """What is true of the camera's pictures, where that is known."""
        camera = None if self.camera_node is None else self.camera_node.camera
        return None if camera is None else camera.script

    @property
    def origin(self) -> int | None:
        """Stamp in ns at which the script begins; None before the first frame."""
        paced = None if self.camera_node is None else self.camera_node.paced
        return None if paced is None else paced.origin

    @property
    def status(self) -> str:
        """How it stands with the face, in words."""
        return self.flow_node.status

    @property
    def counters(self) -> Counters:
        """What has come through so far."""
        flow, au = self.flow_node, self.au_node
        return Counters(
            frames=flow.frames,
            faceless=flow.faceless,
            activations=au.published,
            events=au.events,
            dropped=flow.gaps + au.overwritten,
            late=flow.late,
            failed=flow.errors + au.errors,
        )

    def __enter__(self) -> Container:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _overrides(values: dict[str, Any]) -> list[Parameter]:
    return [Parameter(name, value=value) for name, value in values.items() if value is not None]


def _parameters(path: str | Path | None) -> list[str]:
    if path is None:
        return []
    if not Path(path).is_file():
        raise ValueError(f"there is no parameter file at {path}")
    return ["--ros-args", "--params-file", str(path)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the container until its stream ends or it is interrupted; return the exit status.

    Nodes whose parameter ``autostart`` is false wait for transitions from outside.
    """
    argv = sys.argv if argv is None else argv
    try:
        camera = _parser().parse_args(not_for_ros(argv)).camera
        container = Container(camera, arguments=argv, annotated=True)
        with container.interruptible():
            try:
                container.serve()
            finally:
                container.stop()
            # Now that what was on its way has come through, they are complete.
            get_logger("emopulse_container").info(f"ended: {container.counters}")
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emopulse_container", description=__doc__, epilog="Parameters: after --ros-args."
    )
    parser.add_argument(
        "--camera",
        metavar="SPEC",
        help="in place of the parameter camera of camera_node; ros:TOPIC for the images of another "
        "node, and no camera_node",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
