"""``emopulse bench transport``, in short."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emopulse_ros.bench.hop_table import HEAD, as_line

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

VGA = 640 * 480


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Any:
    from emopulse_ros.bench import transport

    monkeypatch.setattr(transport, "WARM_UP_S", 0.1)
    return transport


@pytest.mark.usefixtures("short")
def test_paths_are_measured_side_by_side(tmp_path: Path, capsys: Any) -> None:
    from emopulse_ros.bench import command
    from emopulse_ros.transport.spinner import fastest_kind

    file = tmp_path / "rows.json"
    asked = ["transport", "--seconds", "0.5", "--payload", "vga", "--subscribers", "2"]
    assert command.main([*asked, "--json", str(file)]) == 0
    rows = json.loads(file.read_text())
    assert [(row["path"], row["outside_subscribers"]) for row in rows] == [
        ("zero_copy", 0),
        ("dds_one_process", 0),
        ("dds_two_processes", 0),
        ("zero_copy", 1),
        ("dds_one_process", 1),
    ]
    for row in rows:
        assert (row["payload"], row["subscribers"]) == ("vga", 2)
        assert 0.0 < row["hop_ms"]["median"] <= row["hop_ms"]["p99"]
        assert row["cpu_cores"] > 0.0
        assert 0.0 < row["arrived"] <= 1.0
    assert [row["executor"] for row in rows[:3]] == [fastest_kind(), *2 * ["single-threaded"]]
    zero_copy, dds, two, watched, _ = rows
    assert zero_copy["bytes_copied_per_frame"] == 0
    # Into the message, and once for each subscription that it reached.
    assert dds["bytes_copied_per_frame"] == pytest.approx(VGA * (1 + 2 * dds["arrived"]), rel=0.01)
    assert two["bytes_copied_per_frame"] == pytest.approx(VGA * (1 + 2 * two["arrived"]), rel=0.01)
    # A message is filled for the one outside, unless the next frame came before.
    assert 0 < watched["bytes_copied_per_frame"] <= VGA
    told = capsys.readouterr().out.splitlines()
    assert told[0] == HEAD
    assert told[1:] == [as_line(row, rows) for row in rows]
    assert "executor" not in [thread.name for thread in threading.enumerate()]


def test_copies_are_seen_where_there_are_some() -> None:
    from emopulse_ros.bench.hops import Arrivals

    arrivals = Arrivals()
    picture = np.zeros((4, 6), np.uint8)
    arrivals.leaves(0, picture)
    arrivals.leaves(1, picture + 1)
    arrivals.came(0, picture)
    arrivals.came(0, picture[1:])
    assert arrivals.copied == 0
    arrivals.came(0, picture.copy())
    assert arrivals.copied == 24
    assert len(arrivals.hops_ns) == 3
    arrivals.clear()
    # What was sent before counts no more.
    arrivals.came(0, picture.copy())
    arrivals.copied_on_the_way(0, picture)
    assert arrivals.copied == len(arrivals.hops_ns) == 0


def test_the_pace_is_kept_and_who_is_too_slow_for_it_sends_less(short: Any) -> None:
    import time

    class Slow:
        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def publish(self, _: Any) -> None:
            time.sleep(self.seconds)

    pictures = [np.zeros((4, 6), np.uint8)]
    begun = time.monotonic()
    assert short._publish(Slow(0.0), pictures, 0.2) <= 40
    assert time.monotonic() - begun > 0.19
    assert short._publish(Slow(0.05), pictures, 0.2) <= 5


def test_a_publisher_without_its_subscriptions_is_told(
    short: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short, "MEETING_S", 0.0)
    monkeypatch.setattr(short.DdsHop, "listeners", lambda _: 0)
    with pytest.raises(RuntimeError, match="the publisher found 0 of 1 subscriptions"):
        short.run_transport(0.1, payloads=["vga"], subscribers=[1])


def test_a_duration_that_cannot_be_worked_with_is_told() -> None:
    from emopulse_ros.bench import command
    from emopulse_ros.console.bad_input import BadInputError

    with pytest.raises(BadInputError, match="the duration is 0"):
        command.main(["transport", "--seconds", "0"])


def test_the_command_line_knows_what_can_be_chosen() -> None:
    from emopulse_ros.bench import command, transport
    from emopulse_ros.transport import spinner

    assert tuple(transport.PAYLOADS) == command.PAYLOADS
    assert spinner.KINDS == command.EXECUTORS
