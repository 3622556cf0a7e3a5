"""Latency from capture to publish, at the true pace, over real ROS."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.bench.listener import Listener
from emopulse_ros.camera import SyntheticCamera
from emopulse_ros.nodes.container import Container
from emopulse_ros.nodes.samples import Samples

WARM_UP_S = 3.0
"""Time after the first activation that is not measured: caches fill, clocks rise."""

START_S = 60.0
"""Longest wait for the first activation."""

Report = dict[str, Any]


def run_latency(
    seconds: float = 60.0,
    *,
    camera: str = "memory:synthetic",
    model: Path | None = None,
    engine: str | None = None,
) -> Report:
    """Measure for some seconds; return the report.

    A process of its own listens to ``au_activation`` with plain rclpy, so that publishing is
    real. ``latency_ms`` is from the capture stamp until ``publish()`` has returned;
    ``arrival_ms`` until that process has the message. ``cpu_cores`` is the processor time of the
    pipeline's process per second; the process that draws the synthetic face has its own figure.

    :raises ValueError: if the duration, the camera or the model cannot be worked with.
    :raises OSError: if the camera cannot be opened, or fails.
    :raises RuntimeError: if no activation comes.
    """
    if not 0.1 <= seconds <= 86_400.0:
        raise ValueError(f"the duration is {seconds} s; it must be from 0.1 to 86400")
    with Listener("/emopulse/au_activation") as listener:
        with Container(camera, model=model, engine=engine) as container:
            _await_first(container)
            container.wait(WARM_UP_S)
            before = _Mark(container)
            container.wait(seconds)
            after = _Mark(container)
            node = container.camera_node
            if node is not None and node.error is not None:
                raise node.error
            report = _report(container, before, after)
        report["arrival"] = _arrival(listener.heard(), before, after)
    return report


class _Mark:
    """How far everything is at one moment."""

    def __init__(self, container: Container) -> None:
        self.time = time.monotonic()
        self.stamp = time.time_ns()
        self.cpu = time.process_time()
        node = container.camera_node
        opened = None if node is None else node.camera
        self.renderer_cpu: float | None = None
        if isinstance(opened, SyntheticCamera):
            self.renderer_cpu = opened.renderer_cpu_seconds()
        self.counters = container.counters
        self.counts = {name: samples.count for name, samples in _samples(container).items()}


def _samples(container: Container) -> Mapping[str, Samples]:
    """What is measured on the way, in its order."""
    camera, flow, au = container.camera_node, container.flow_node, container.au_node
    stages = {
        "hop_camera_to_flow": flow.hop,
        "face": flow.face_time,
        "flow": flow.flow_time,
        "hop_flow_to_au": au.hop,
        "detection": au.detection_time,
        "publish": au.publish_time,
    }
    first = {} if camera is None else {"camera": camera.lateness}
    return {**first, **stages, "latency": au.latency}


def _await_first(container: Container) -> None:
    end = time.monotonic() + START_S
    while container.counters.activations == 0:
        if container.wait(0.05) or time.monotonic() > end:
            raise RuntimeError(
                f"no activation came, so there is nothing to measure: {container.status}"
            )


def _report(container: Container, before: _Mark, after: _Mark) -> Report:
    seconds = after.time - before.time
    figures = {
        name: _figures(
            samples.since(before.counts[name])[: after.counts[name] - before.counts[name]]
        )
        for name, samples in _samples(container).items()
    }

    def counted(name: str) -> int:
        difference: int = getattr(after.counters, name) - getattr(before.counters, name)
        return difference

    renderer = None
    if before.renderer_cpu is not None and after.renderer_cpu is not None:
        renderer = round((after.renderer_cpu - before.renderer_cpu) / seconds, 3)
    return {
        "frames": counted("frames") + counted("dropped"),
        "dropped": counted("dropped"),
        "without_face": counted("faceless"),
        "activations": counted("activations"),
        "late_looks": counted("late"),
        "failed": counted("failed"),
        "latency_ms": figures.pop("latency"),
        "stages_ms": figures,
        "cpu_cores": round((after.cpu - before.cpu) / seconds, 3),
        "renderer_cpu_cores": renderer,
        "seconds": round(seconds, 3),
        "machine": _machine(container),
    }


def _arrival(heard: list[tuple[int, int, int]], before: _Mark, after: _Mark) -> Report:
    """What the listener got of the frames captured between the two marks."""
    within = [row for row in heard if before.stamp <= row[0] < after.stamp]
    table = np.array(within, np.int64).reshape(-1, 3)
    latency = ((table[:, 2] - table[:, 0]) / 1e6).astype(np.float32)
    steps = np.diff(table[:, 0]) / 1e6
    return {
        "messages": len(table),
        "missing": int(np.maximum(np.diff(table[:, 1]) - 1, 0).sum()),
        "stamps_rise": bool((steps > 0.0).all()),
        "stamp_step_ms": {
            "least": round(float(steps.min()), 4) if len(steps) else None,
            "most": round(float(steps.max()), 4) if len(steps) else None,
        },
        "latency_ms": _figures(latency),
    }


def _figures(values: NDArray[np.float32]) -> dict[str, float | None]:
    if len(values) == 0:
        return dict.fromkeys(("median", "p99", "p999", "max"))
    told = np.percentile(values, (50.0, 99.0, 99.9, 100.0))
    names = ("median", "p99", "p999", "max")
    return {name: round(float(value), 4) for name, value in zip(names, told, strict=True)}


def _machine(container: Container) -> Report:
    return {
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "model": container.card.name,
        "engine": container.au_node.engine,
        "camera": container.camera_node.camera.name
        if container.camera_node is not None and container.camera_node.camera is not None
        else None,
    }


def as_table(report: Report) -> str:
    """A report for people."""
    lines = [f"{'ms':>22}{'median':>9}{'p99':>9}{'p99.9':>9}{'max':>9}"]
    lines += [_line(name.replace("_", " "), row) for name, row in report["stages_ms"].items()]
    lines.append(_line("capture to publish", report["latency_ms"]))
    arrival = report["arrival"]
    lines.append(_line("to another process", arrival["latency_ms"]))
    step = arrival["stamp_step_ms"]
    apart = f", captured {step['least']} to {step['most']} ms apart"
    drawing = report["renderer_cpu_cores"]
    lines += [
        "",
        f"{report['frames']} frames in {report['seconds']:.1f} s, {report['dropped']} dropped, "
        f"{report['without_face']} without a face, {report['late_looks']} late looks for it",
        f"{arrival['messages']} messages reached another process, {arrival['missing']} missing"
        + (apart if arrival["messages"] > 1 else ""),
        f"{report['cpu_cores']:.2f} cores"
        + ("" if drawing is None else f"; drawing the synthetic face took {drawing:.2f} beside")
        + f"; load {report['machine']['load_average']} on {report['machine']['cores']} cores",
    ]
    return "\n".join(lines)


def _line(name: str, figures: Mapping[str, float | None]) -> str:
    told = ("-" if value is None else f"{value:.2f}" for value in figures.values())
    return f"{name:>22}" + "".join(f"{value:>9}" for value in told)
