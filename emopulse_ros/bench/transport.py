"""One hop of a picture, at the true pace: zero-copy topics beside plain rclpy over DDS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import rclpy

from emopulse_ros.bench.hops import DdsHop, Hop, Picture, ZeroCopyHop
from emopulse_ros.bench.image_reader import ImageReader
from emopulse_ros.nodes.process import tune_interpreter
from emopulse_ros.stream import read_only
from emopulse_ros.transport.spinner import Spinner, fastest_kind

PAYLOADS = {"vga": (480, 640), "1080p": (1080, 1920)}
"""Height and width of the pictures, which are mono8."""

SUBSCRIBERS = (1, 2, 4)

RCLPY_SPIN = "single-threaded"
"""The executor of ``rclpy.spin``."""

RATE = 200.0
"""Pictures a second."""

WARM_UP_S = 1.0
"""Time that is not measured, once all have found each other."""

SETTLE_S = 0.1
"""Time for what is still on its way."""

MEETING_S = 10.0
"""Longest wait for that."""

Row = dict[str, Any]


def run_transport(
    seconds: float = 4.0,
    *,
    payloads: Sequence[str] = tuple(PAYLOADS),
    subscribers: Sequence[int] = SUBSCRIBERS,
    executor: str | None = None,
    on_row: Callable[[Row], None] = lambda _: None,
) -> list[Row]:
    """Measure all paths for some seconds each, side by side; return a row for each.

    ``path`` is ``zero_copy``, ``dds_one_process`` or ``dds_two_processes``; in the last all
    subscriptions are in the second process, in the others ``outside_subscribers`` more may listen
    there. Without ``executor`` each runs under the one it comes with: zero-copy topics under the
    fastest, as :class:`~emopulse_ros.transport.spinner.Spinner` chooses, plain rclpy under that of
    ``rclpy.spin``; with it, all under that one. ``hop_ms`` is from the moment the publisher has a
    picture until the callback has it, making and reading the message included; ``cpu_cores`` is the
    processor time per second of the processes that take part in the path, an outside subscriber
    not included. ``bytes_copied_per_frame`` are those of pictures that could be seen to be copied:
    into a message, and by arriving elsewhere than they left from; what the middleware copies in
    between is not known. ``arrived`` is the share of pictures that reached the subscriptions, at
    ``rate_hz``.

    :raises ValueError: if what is asked for cannot be measured.
    :raises RuntimeError: if publisher and subscriptions do not find each other.
    """
    if not 0.1 <= seconds <= 3600.0:
        raise ValueError(f"the duration is {seconds} s; it must be from 0.1 to 3600")
    tune_interpreter()
    rows = []
    for payload in payloads:
        for count in subscribers:
            for outside in (0, 1):
                for path in ("zero_copy", "dds_one_process", "dds_two_processes"):
                    if path == "dds_two_processes" and outside:
                        continue
                    kind = executor or (fastest_kind() if path == "zero_copy" else RCLPY_SPIN)
                    row = _measure(seconds, payload, path, count, outside, kind)
                    rows.append(row)
                    on_row(row)
    return rows


def _measure(
    seconds: float, payload: str, path: str, subscribers: int, outside: int, executor: str
) -> Row:
    topic = f"/bench/{payload.replace('1080p', 'full_hd')}/{path}_{subscribers}_{outside}"
    pictures = _pictures(PAYLOADS[payload])
    local = 0 if path == "dds_two_processes" else subscribers
    remote = subscribers - local + outside
    with ExitStack() as stack:
        reader = stack.enter_context(ImageReader(topic, remote, executor)) if remote else None
        publishing, reading = stack.enter_context(_nodes(executor))
        make = ZeroCopyHop if path == "zero_copy" else DdsHop
        hop: Hop = make(publishing, reading, topic, local)
        stack.callback(hop.close)
        _meet(hop, local + remote)
        _publish(hop, pictures, WARM_UP_S)
        time.sleep(SETTLE_S)
        if reader is not None:
            reader.since_last()
        hop.arrivals.clear()
        cpu, begun = time.process_time(), time.monotonic()
        sent = _publish(hop, pictures, seconds)
        took = time.monotonic() - begun
        cores = (time.process_time() - cpu) / took
        time.sleep(SETTLE_S)
        hops, copied = list(hop.arrivals.hops_ns), hop.arrivals.copied
        if reader is not None and not local:
            told = reader.since_last()
            hops, copied = told["hops_ns"], copied + told["copied"]
            cores += told["cpu"] / took
    return {
        "payload": payload,
        "path": path,
        "subscribers": subscribers,
        "outside_subscribers": outside,
        "executor": executor,
        "hop_ms": _figures(hops),
        "cpu_cores": round(cores, 3),
        "bytes_copied_per_frame": round(copied / sent),
        "arrived": round(len(hops) / (sent * subscribers), 4),
        "rate_hz": round(sent / took, 1),
    }


def _pictures(shape: tuple[int, int]) -> list[Picture]:
    noise = np.random.default_rng(0)
    return [read_only(noise.integers(0, 256, shape, np.uint8)) for _ in range(8)]


@contextmanager
def _nodes(executor: str) -> Iterator[tuple[Any, Any]]:
    """A node that publishes and one that reads, whose callbacks run in a thread of their own."""
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    nodes = [rclpy.create_node(name, context=context) for name in ("bench_writer", "bench_reader")]
    spinner = Spinner(context, executor)
    spinner.start()
    spinner.add(*nodes)
    try:
        yield nodes[0], nodes[1]
    finally:
        spinner.stop()
        for node in nodes:
            node.destroy_node()
        rclpy.shutdown(context=context)


def _meet(hop: Hop, count: int) -> None:
    end = time.monotonic() + MEETING_S
    while hop.listeners() != count:
        if time.monotonic() > end:
            raise RuntimeError(
                f"the publisher found {hop.listeners()} of {count} subscriptions: is something "
                "else using this ROS domain, or is a firewall in the way?"
            )
        time.sleep(0.01)


def _publish(hop: Hop, pictures: Sequence[Picture], seconds: float) -> int:
    """Publish at the true pace; return how many."""
    begun = time.monotonic()
    for number in range(round(seconds * RATE)):
        due = begun + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        if time.monotonic() > begun + seconds:
            # Publishing itself takes too long for the pace.
            return number
        hop.publish(pictures[number % len(pictures)])
    return number + 1


def _figures(hops_ns: Sequence[int]) -> dict[str, float | None]:
    if not hops_ns:
        return {"median": None, "p99": None}
    median, p99 = np.percentile(np.array(hops_ns) / 1e6, (50.0, 99.0))
    return {"median": round(float(median), 4), "p99": round(float(p99), 4)}


HEAD = (
    f"{'payload':8}{'path':19}{'subs':>5}{'outside':>8}{'median ms':>11}{'p99 ms':>9}"
    f"{'times':>8}{'cores':>7}{'KB copied':>11}{'arrived':>9}{'Hz':>7}"
)
"""Of the table; ``times`` is the median over that of zero-copy with as many subscribers."""


def as_line(row: Row, rows: Sequence[Row]) -> str:
    """A line of the table for people; ``rows`` are those measured so far."""
    alike = ("payload", "subscribers", "outside_subscribers")
    first = next(
        (r for r in rows if r["path"] == "zero_copy" and all(r[k] == row[k] for k in alike)), row
    )
    median, p99 = row["hop_ms"]["median"], row["hop_ms"]["p99"]
    times = median / first["hop_ms"]["median"] if median and first["hop_ms"]["median"] else None
    return (
        f"{row['payload']:8}{row['path']:19}{row['subscribers']:>5}"
        f"{row['outside_subscribers']:>8}{_told(median, 3):>11}{_told(p99, 3):>9}"
        f"{_told(times, 1):>8}{row['cpu_cores']:>7.2f}"
        f"{row['bytes_copied_per_frame'] / 1e3:>11.0f}{row['arrived']:>9.1%}{row['rate_hz']:>7.0f}"
    )


def _told(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
