"""Serves the topics over Foxglove's websocket; the one place that knows its SDK."""

from __future__ import annotations

import cv2
from foxglove import Channel, Context, start_server
from foxglove.channels import CompressedImageChannel, ImageAnnotationsChannel, LogChannel
from foxglove.messages import (
    Color,
    CompressedImage,
    ImageAnnotations,
    Log,
    LogLevel,
    Point2,
    PointsAnnotation,
    PointsAnnotationType,
    TextAnnotation,
    Timestamp,
)

from emopulse_ros.camera.source import Closing
from emopulse_ros.stream import Activation, Frame, MicroExpression
from emopulse_ros.view import topics
from emopulse_ros.view.annotation import Annotation, Points
from emopulse_ros.view.health import Health

BACKLOG = 512
"""Messages that may wait for a slow client, two seconds of them; then the oldest give way."""

QUALITY = 90
"""Of the JPEG pictures, which are a tenth as large as they were."""

AMBER = Color(r=1.0, g=0.75, b=0.24, a=1.0)
WHITE = Color(r=1.0, g=1.0, b=1.0, a=1.0)
SHADE = Color(r=0.0, g=0.0, b=0.0, a=0.6)


class ServerError(OSError):
    """Nobody can be served at an address; the text is a sentence that says why."""


class Server(Closing):
    """Listens at an address and sends each topic to the clients that subscribe to it.

    Port 0 takes any that is free; ``port`` says which.

    :raises ServerError: if nothing can listen there.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8765) -> None:
        # Kept: a context that nobody holds takes its channels along.
        context = self._context = Context()
        self._images = CompressedImageChannel(topics.IMAGE, context=context)
        self._annotations = ImageAnnotationsChannel(topics.ANNOTATIONS, context=context)
        self._activations = Channel(
            topics.ACTIVATION, schema=topics.ACTIVATION_SCHEMA, context=context
        )
        self._events = LogChannel(topics.EVENTS, context=context)
        self._health = Channel(topics.HEALTH, schema=topics.HEALTH_SCHEMA, context=context)
        try:
            self._server = start_server(
                name="EmoPulse",
                host=host,
                port=port,
                context=context,
                message_backlog_size=BACKLOG,
            )
        except (RuntimeError, OverflowError) as error:
            reason = str(error).rpartition("bind port: ")[2]
            raise ServerError(
                f"nothing can listen on port {port} of {host}: {reason}; "
                "choose another with --port or --host"
            ) from error
        self.port: int = self._server.port

    @property
    def wants_pictures(self) -> bool:
        """Whether a client looks at the picture or at what is drawn on it."""
        return bool(self._images.has_sinks() or self._annotations.has_sinks())

    @property
    def wants_curves(self) -> bool:
        """Whether a client reads activations."""
        return bool(self._activations.has_sinks())

    @property
    def wants_health(self) -> bool:
        """Whether a client reads the stream's health."""
        return bool(self._health.has_sinks())

    @property
    def is_watched(self) -> bool:
        """Whether any client wants anything that comes with every frame."""
        return self.wants_pictures or self.wants_curves or self.wants_health

    def picture(self, frame: Frame, annotation: Annotation) -> None:
        """Send a picture and what is drawn on it, each to who wants it."""
        if self._images.has_sinks():
            _, data = cv2.imencode(".jpg", frame.image, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
            image = CompressedImage(
                timestamp=_time(frame.stamp),
                frame_id=frame.frame_id,
                data=data.tobytes(),
                format="jpeg",
            )
            self._images.log(image, log_time=frame.stamp)
        if self._annotations.has_sinks():
            drawn = _annotations(annotation, frame)
            self._annotations.log(drawn, log_time=frame.stamp)

    def curves(self, activation: Activation, latency_ms: float) -> None:
        """Send an activation."""
        fields = topics.activation_fields(activation, latency_ms)
        self._activations.log(fields, log_time=activation.stamp)

    def event(self, event: MicroExpression) -> None:
        """Send a micro-expression, if anybody reads them."""
        if self._events.has_sinks():
            line = Log(
                timestamp=_time(event.onset),
                level=LogLevel.Info,
                message=topics.event_sentence(event),
                name="micro-expression",
            )
            self._events.log(line, log_time=event.stamp)

    def health(self, health: Health, stamp: int) -> None:
        """Send how the stream is; ``stamp`` in ns."""
        self._health.log(topics.health_fields(health), log_time=stamp)

    def close(self) -> None:
        """Send the clients away; safe to call twice."""
        self._server.stop()


def _annotations(annotation: Annotation, frame: Frame) -> ImageAnnotations:
    size = frame.image.shape[0] / 480.0
    corners, arrows = annotation.outline, annotation.arrows
    points = []
    if len(corners):
        kind = PointsAnnotationType.LineLoop
        points.append(_lines(corners, kind, WHITE, size, frame.stamp))
    if len(arrows):
        kind = PointsAnnotationType.LineList
        points.append(_lines(arrows.reshape(-1, 2), kind, AMBER, 1.5 * size, frame.stamp))
        # Heads as points: barbs of a few pixels would be twice the lines.
        kind = PointsAnnotationType.Points
        points.append(_lines(arrows[:, 1], kind, AMBER, 3.5 * size, frame.stamp))
    texts = [
        TextAnnotation(
            timestamp=_time(frame.stamp),
            position=Point2(x=8.0 * size, y=(24.0 + 20.0 * row) * size),
            text=label,
            font_size=14.0 * size,
            text_color=WHITE,
            background_color=SHADE,
        )
        for row, label in enumerate(annotation.labels)
    ]
    return ImageAnnotations(timestamp=_time(frame.stamp), points=points, texts=texts)


def _lines(
    points: Points, kind: PointsAnnotationType, colour: Color, thickness: float, stamp: int
) -> PointsAnnotation:
    return PointsAnnotation(
        timestamp=_time(stamp),
        type=kind,
        points=[Point2(x=x, y=y) for x, y in points.tolist()],
        outline_color=colour,
        thickness=thickness,
    )


def _time(stamp: int) -> Timestamp:
    return Timestamp(*divmod(stamp, topics.SECOND))
