"""The doctor: it tells what is there and what is not, and runs where nothing is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emopulse_ros.doctor import Finding, examine, render, run_doctor

ROOT = Path(__file__).parent.parent


def finding(subject: str) -> Finding:
    return next(found for found in examine() if found.subject == subject)


def test_what_the_tests_run_on_is_found_with_its_version() -> None:
    import numpy

    assert finding("numpy") == Finding("numpy", True, numpy.__version__, needed=True)
    assert "CPUExecutionProvider" in finding("ONNX Runtime").detail


def test_ros_is_found_where_it_is() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    assert finding("ROS 2").found
    assert finding("ROS middleware").detail.startswith("rmw_")
    assert finding("emopulse_msgs").found


def test_a_missing_library_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    missing = finding("ONNX Runtime")
    assert not missing.found
    assert missing.remedy == "pip install onnxruntime"
    text, well = run_doctor()
    assert not well
    assert "MISSING  ONNX Runtime" in text
    assert text.endswith("EmoPulse cannot run: ONNX Runtime.")


def test_a_library_that_breaks_on_import_is_not_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorrt.py").write_text("raise OSError('libnvinfer.so.10: cannot open')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    broken = finding("TensorRT")
    assert not broken.found
    assert "does not load: libnvinfer.so.10" in broken.detail
    assert broken.remedy.startswith("it comes with JetPack")


def test_tensorrt_for_rtx_counts_as_tensorrt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorrt_rtx.py").write_text("__version__ = '1.7.1'")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.delitem(sys.modules, "tensorrt_rtx", raising=False)
    assert finding("TensorRT") == Finding("TensorRT", True, "TensorRT for RTX 1.7.1")
    # Not by monkeypatch, which would put it back for the tests that follow.
    del sys.modules["tensorrt_rtx"]


def test_what_is_optional_is_not_missed() -> None:
    text = render([Finding("numpy", True, "2.2.6", needed=True), Finding("GPU", False, "none")])
    assert "MISSING" not in text
    assert text.endswith("EmoPulse can run.")


def test_it_runs_on_a_python_with_nothing_installed() -> None:
    command = "from emopulse_ros.doctor import run_doctor; print(*run_doctor(), sep='\\n')"
    said = subprocess.run(
        [sys.executable, "-ES", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert "EmoPulse cannot run: ROS 2, emopulse_msgs, numpy" in said.stdout
    assert said.stdout.strip().endswith("False")


def test_cameras_are_told_with_what_they_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from emopulse_ros.camera import v4l2

    monkeypatch.setattr(v4l2, "listing", lambda: ["/dev/video0 (OV9281): GREY 640x400 at 210 Hz"])
    found = finding("V4L2 cameras")
    assert found.found
    assert found.detail == "/dev/video0 (OV9281): GREY 640x400 at 210 Hz"
