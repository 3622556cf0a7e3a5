"""The synthetic camera: exact, repeatable, endless when asked, and gone when it is closed."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.camera import CameraError, SyntheticCamera
from emopulse_ros.synthesis.habits import write_script
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.script import MILLISECOND

ROOT = Path(__file__).resolve().parents[2]
SMALL = (160, 120)


def renderers(seed: int) -> list[int]:
    """Process ids of the renderers that draw for this seed, whoever started them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if b"emopulse_ros.camera.renderer" in command and f'"seed": {seed},'.encode() in command:
            found += [int(folder.name)] if state != "Z" else []
    return found


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program given on the command line, without any guard of ``__main__``."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_frames_are_those_of_the_scene_five_milliseconds_apart() -> None:
    seed = 3
    with SyntheticCamera(seed, 0.5) as camera:
        frames = list(camera)
        assert list(camera) == []
        assert camera.renderer_cpu_seconds() > 0.0
    assert [frame.stamp for frame in frames] == [5 * MILLISECOND * k for k in range(100)]
    assert [frame.sequence for frame in frames] == list(range(100))
    # They were all kept until now, while the ring went round: each still shows its own moment.
    scene = PortraitScene(write_script(seed, 500 * MILLISECOND), seed)
    for frame in frames:
        assert not frame.image.flags.writeable
        assert np.array_equal(frame.image, scene.render(frame.stamp))


def test_two_cameras_of_one_seed_give_the_same_bytes() -> None:
    with (
        SyntheticCamera(8, size=SMALL) as one,
        SyntheticCamera(8, size=SMALL) as again,
        SyntheticCamera(9, size=SMALL) as other,
    ):
        for a, b, c in islice(zip(one, again, other, strict=True), 80):
            assert np.array_equal(a.image, b.image)
            assert not np.array_equal(a.image, c.image)


def test_other_rates_have_stamps_of_their_own() -> None:
    with SyntheticCamera(1, 0.1, rate=120.0, size=SMALL) as camera:
        stamps = [frame.stamp for frame in camera]
    assert stamps == [round(k * 1e9 / 120) for k in range(12)]


def test_without_a_duration_it_does_not_end_and_knows_its_truth() -> None:
    with SyntheticCamera(4, size=SMALL) as camera:
        assert camera.script is not None
        assert camera.script.repeats
        assert [frame.sequence for frame in islice(camera, 300)] == list(range(300))
        # It goes on where it stopped.
        assert next(iter(camera)).sequence == 300
        hour = camera.script.duration
        moved = [move for move in camera.script.movements if move.kind == "micro"]
        assert camera.script.strength(hour + moved[0].apex).any()
        for move in moved:
            assert 40 * MILLISECOND <= move.offset - move.onset <= 200 * MILLISECOND


def test_closing_ends_the_iteration_and_the_renderer(soon: Callable[..., bool]) -> None:
    seed = 71_001
    camera = SyntheticCamera(seed, size=SMALL)
    next(camera)
    assert len(renderers(seed)) == 1
    camera.close()
    camera.close()
    assert list(camera) == []
    assert soon(lambda: not renderers(seed))
    assert camera.renderer_cpu_seconds() > 0.0


def test_a_camera_that_is_dropped_takes_its_renderer_along(soon: Callable[..., bool]) -> None:
    seed = 71_002
    camera = SyntheticCamera(seed, size=SMALL)
    next(camera)
    del camera
    gc.collect()
    assert soon(lambda: not renderers(seed))


def test_one_thread_reads_while_another_closes() -> None:
    camera = SyntheticCamera(5, size=SMALL)
    counted = []

    def read() -> None:
        counted.append(sum(1 for _ in camera))

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.5)
    camera.close()
    reader.join(timeout=10.0)
    assert not reader.is_alive()
    assert counted


def test_a_program_without_a_guard_reads_it() -> None:
    done = run(
        "from emopulse_ros.camera import SyntheticCamera\n"
        "print(sum(1 for _ in SyntheticCamera(6, 0.2, size=(160, 120))))"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "40\n", "")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_renderer_goes_when_its_reader_is_killed(
    blow: signal.Signals, soon: Callable[..., bool]
) -> None:
    seed = 72_000 + blow
    done = run(
        "import os\n"
        "from emopulse_ros.camera import SyntheticCamera\n"
        f"for frame in SyntheticCamera({seed}, size=(160, 120)):\n"
        f"    if frame.sequence == 20: os.kill(os.getpid(), {blow.value})"
    )
    assert done.returncode != 0
    assert soon(lambda: not renderers(seed))


def test_the_renderer_goes_although_a_fork_holds_its_pipes(soon: Callable[..., bool]) -> None:
    seed = 73_001
    done = run(
        "import os, signal, time\n"
        "from emopulse_ros.camera import SyntheticCamera\n"
        f"camera = SyntheticCamera({seed}, size=(160, 120))\n"
        "next(camera)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os.close(1); os.close(2)\n"
        "    time.sleep(20)\n"
        "    os._exit(0)\n"
        "print(child, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    child = int(done.stdout)
    try:
        assert soon(lambda: not renderers(seed))
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_renderer_that_dies_is_an_error_that_says_so() -> None:
    seed = 71_003
    with SyntheticCamera(seed, size=SMALL) as camera:
        next(camera)
        (renderer,) = renderers(seed)
        os.kill(renderer, signal.SIGKILL)
        with pytest.raises(CameraError, match="renderer of synthetic:71003 stopped at frame"):
            for _ in camera:
                pass
