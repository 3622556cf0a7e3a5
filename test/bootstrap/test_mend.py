"""Mending the CMake exports of ROS's wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.mend import mend_exports

EXPORT = """set_target_properties(std_msgs__rosidl_generator_py PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${{_IMPORT_PREFIX}}/include/std_msgs;{home}/include/python{version};{home}/lib/python{version}/site-packages/numpy/{core}/include"
)
"""  # noqa: E501


@pytest.mark.parametrize("core", ["core", "_core"])
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_the_builders_folders_become_this_machines(tmp_path: Path, version: str, core: str) -> None:
    short = version.replace(".", "")
    text = EXPORT.format(home=f"/opt/python/cp{short}-cp{short}", version=version, core=core)
    export = tmp_path / "std_msgs" / "cmake" / "export_std_msgsExport.cmake"
    export.parent.mkdir(parents=True)
    export.write_text(text)
    assert mend_exports(tmp_path, "/usr/include/py", "/venv/numpy") == 1
    mended = export.read_text()
    assert '"${_IMPORT_PREFIX}/include/std_msgs;/usr/include/py;/venv/numpy"' in mended
    assert mend_exports(tmp_path, "/usr/include/py", "/venv/numpy") == 0


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("/opt/python/cp311-cp311/include/python3.11")
    (tmp_path / "plain.cmake").write_text("set(A /opt/other/include/python3.11)")
    assert mend_exports(tmp_path, "/a", "/b") == 0
