"""How Aravis is found, and what is said where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emopulse_ros.camera import CameraError, aravis, open_camera

from .gige import need_aravis

ROOT = Path(__file__).parents[2]


@pytest.fixture
def debians(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of Debian's binding, empty, and no other binding."""
    monkeypatch.setitem(sys.modules, "gi", None)
    monkeypatch.setattr(aravis, "DEBIANS", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("debians")
def test_without_it_one_sentence_says_what_to_install() -> None:
    with pytest.raises(CameraError, match=r"sudo apt install gir1\.2-aravis-0\.8 python3-gi$"):
        open_camera("genicam:").open()  # type: ignore[attr-defined]


def test_a_binding_for_another_python_is_told(debians: Path) -> None:
    (debians / "__init__.py").touch()
    (debians / "_gi.cpython-27-x86_64-linux-gnu.so").touch()
    with pytest.raises(CameraError, match=r"not for this Python 3\.\d+.*pip install PyGObject"):
        aravis.load_aravis()


def test_a_binding_that_does_not_load_leaves_nothing_behind(debians: Path) -> None:
    version = "{}{}".format(*sys.version_info)
    (debians / "__init__.py").write_text("raise ImportError('libffi.so.8: cannot open')")
    (debians / f"_gi.cpython-{version}-x86_64-linux-gnu.so").touch()
    with pytest.raises(CameraError, match=r"does not load: libffi\.so\.8"):
        aravis.load_aravis()
    assert "gi" not in sys.modules


def test_a_binding_without_aravis_is_told(debians: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = "{}{}".format(*sys.version_info)
    (debians / "__init__.py").write_text(
        "def require_version(*_): raise ValueError('Namespace Aravis not available')"
    )
    (debians / f"_gi.cpython-{version}-x86_64-linux-gnu.so").touch()
    with pytest.raises(CameraError, match=r"GenICam cameras need Aravis 0\.8: sudo apt"):
        aravis.load_aravis()
    monkeypatch.delitem(sys.modules, "gi", raising=False)


def test_nothing_else_of_debians_can_be_imported_for_it() -> None:
    need_aravis()
    command = (
        "import sys; before = list(sys.path)\n"
        "from emopulse_ros.camera.aravis import load_aravis; load_aravis()\n"
        "assert sys.path == before; print(sys.modules['gi.repository'].__name__)"
    )
    said = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert said.stdout == "gi.repository\n", said.stderr
