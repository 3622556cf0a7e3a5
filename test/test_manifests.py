"""The manifests: what pip, colcon and rosdep are told is true and the same everywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

import emopulse_ros
from bootstrap.products import EXECUTABLES

ROOT = Path(__file__).parent.parent
SETUP = (ROOT / "setup.py").read_text()
MANIFESTS = [ROOT / "package.xml", ROOT / "emopulse_msgs" / "package.xml"]


def test_there_is_one_version() -> None:
    versions = {ElementTree.parse(manifest).findtext("version") for manifest in MANIFESTS}
    versions |= set(re.findall(r'version="([^"]+)"', SETUP))
    newest = re.search(r"^(\d+\.\d+\.\d+) \(", (ROOT / "CHANGELOG.rst").read_text(), re.MULTILINE)
    assert newest is not None
    assert versions | {newest[1]} == {emopulse_ros.__version__}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_is_of_format_3_and_names_its_schema(manifest: Path) -> None:
    assert 'href="http://download.ros.org/schema/package_format3.xsd"' in manifest.read_text()
    assert ElementTree.parse(manifest).getroot().get("format") == "3"


def imported() -> set[str]:
    """What our package, its launch files and examples import."""
    names = set()
    for folder in ("emopulse_ros", "launch", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add((node.module or "").partition(".")[0])
    return names


def dependencies(*kinds: str) -> set[str | None]:
    """What the package's manifest names."""
    return {tag.text for tag in ElementTree.parse(MANIFESTS[0]).iter() if tag.tag in kinds}


def test_every_ros_package_that_is_imported_is_a_dependency() -> None:
    of_ros = {name for name in imported() if re.search(r"_msgs$|_interfaces$|^rcl|^launch", name)}
    assert of_ros - dependencies("depend", "exec_depend") - {"hri_msgs"} == set()


def test_every_dependency_is_imported() -> None:
    keys = {
        "python3-numpy": "numpy",
        "python3-onnxruntime-pip": "onnxruntime",
        "python3-opencv": "cv2",
        "python3-yaml": "yaml",
    }
    named = {keys.get(name or "", name) for name in dependencies("depend", "exec_depend")}
    # The command that runs the launch files, and the services that rclpy gives a lifecycle node.
    assert named - imported() - {"ros2launch", "lifecycle_msgs"} == set()


def test_every_executable_has_a_main() -> None:
    scripts = re.findall(r'f"(\w+) = \{NAME\}\.([\w.]+):(\w+)"', SETUP)
    assert {name for name, _, _ in scripts} == {"emopulse", *EXECUTABLES}
    for _, module, function in scripts:
        source = (ROOT / "emopulse_ros" / module.replace(".", "/")).with_suffix(".py").read_text()
        assert re.search(rf"^def {function}\(", source, re.MULTILINE), module


PIN = r'[\w.-]+==[\w.]+(; platform_machine == "\w+")?'


def test_every_version_is_pinned() -> None:
    loose = [
        f"{file.name}: {line}"
        for file in sorted((ROOT / "requirements").glob("*.txt"))
        for line in file.read_text().splitlines()
        if line and not line.startswith("#") and not re.fullmatch(PIN, line)
    ]
    # A distribution's own numpy is whatever it is.
    assert loose == ["distribution.txt: numpy<2"]


@pytest.mark.skipif(not find_spec("colcon_core"), reason="colcon is not installed")
def test_colcon_finds_both_packages_from_the_root() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "colcon", "--log-base", "/dev/null", "list"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    ).stdout.split("\n")  # fmt: skip
    assert [line.split()[0] for line in listed if line] == ["emopulse_msgs", "emopulse_ros"]
