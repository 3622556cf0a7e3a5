"""The house's rules: which room may import which, and what each does without."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "emopulse_ros"

SENSES = {
    "stream",
    "ahead",
    "facs",
    "synthesis",
    "bag",
    "camera",
    "face",
    "flow",
    "detection",
    "pipeline",
}
MAY_IMPORT: dict[str, set[str]] = {
    "stream": set(),
    "ahead": set(),
    "facs": set(),
    "synthesis": {"stream", "facs"},
    "bag": {"stream", "facs"},
    # The synthetic camera shows what a scene renders, and every camera may carry its script.
    "camera": {"stream", "synthesis", "bag", "ahead"},
    "face": {"stream"},
    "flow": {"stream", "face"},
    "detection": {"stream", "facs", "flow"},
    "pipeline": SENSES - {"pipeline", "synthesis"},
    "view": {"stream", "facs", "camera", "face"},
    "transport": {"stream"},
    "nodes": {*SENSES, "transport", "view"},
    "evaluation": SENSES,
    "console": {*SENSES, "transport", "view", "nodes", "evaluation"},
    "bench": {*SENSES, "transport", "view", "nodes", "evaluation", "console"},
    "training": {*SENSES, "evaluation"},
    "doctor": {*SENSES},
    "cli": {
        *SENSES,
        "transport",
        "view",
        "nodes",
        "evaluation",
        "console",
        "bench",
        "training",
        "doctor",
    },
}
"""What each room may import of the house, lazily or not. To the left of it, and no circles."""

ROS = {"rclpy", "emopulse_msgs", "sensor_msgs", "std_msgs", "diagnostic_msgs", "lifecycle_msgs"}
HEAVY = {"torch", "matplotlib", "scipy", "sklearn", "skimage", "numba", "onnx"}
EXTRAS = {"rosbags", "mcap", "openpyxl", "foxglove"}
"""What the extras for evaluation and for looking at the stream bring."""
RUNTIME = sorted(
    {"stream", "facs", "bag", "camera", "face", "flow", "detection", "pipeline", "view", "doctor"}
)
CORE = sorted({*RUNTIME, "synthesis", "evaluation"})


def files(room: str) -> list[Path]:
    folder = HOUSE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def modules(room: str) -> Iterator[str]:
    for file in files(room):
        parts = file.relative_to(HOUSE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file imports, inside functions too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute here"
            module = node.module or ""
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def test_every_room_is_in_the_plan() -> None:
    folders = {folder.parent.name for folder in HOUSE.glob("*/__init__.py")}
    single = {file.stem for file in HOUSE.glob("*.py")} - {"__init__"}
    assert folders | single <= MAY_IMPORT.keys()


def test_the_plan_has_no_circles() -> None:
    left = dict(MAY_IMPORT)
    while left:
        free = [room for room, needs in left.items() if not needs & left.keys()]
        assert free, f"these import each other: {sorted(left)}"
        for room in free:
            del left[room]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_lies_before_it(room: str) -> None:
    wrong = []
    for file in files(room):
        for line, name in imports(file) if file.is_file() else ():
            house, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if house == "emopulse_ros" and other in MAY_IMPORT.keys() - MAY_IMPORT[room] - {room}:
                wrong.append(f"{file.name}:{line} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("room", CORE)
def test_the_core_names_neither_ros_nor_pytorch(room: str) -> None:
    # The doctor asks ROS for its middleware: that is its business, and it survives without.
    outside = {"torch"} if room == "doctor" else {*ROS, "torch"}
    wrong = [
        f"{file.name}:{line} imports {name}"
        for file in files(room)
        for line, name in imports(file)
        if name.partition(".")[0] in outside
    ]
    assert wrong == []


IMPORT_ALL = """
import importlib, sys
absent, optional, names = {absent}, {optional}, {names}
sys.modules.update(dict.fromkeys(absent))
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in optional:
            raise
"""


@pytest.mark.parametrize("room", [*CORE, "console", "cli"])
def test_the_core_and_the_command_line_import_without_ros_and_pytorch(room: str) -> None:
    # What the runtime needs must do without the libraries of training, too. Elsewhere (the rendered
    # face, the report) a file may want one of them, which need not be installed here.
    absent = ROS | HEAVY if room in RUNTIME else {*ROS, "torch"}
    # The flow is compiled where numba is, and runs without.
    optional = (HEAVY - absent) | EXTRAS | {"numba"}
    names = list(modules(room))
    said = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL.format(absent=absent, optional=optional, names=names)],
        cwd=HOUSE.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr


def test_the_data_sets_import_without_openpyxl() -> None:
    said = subprocess.run(
        [
            sys.executable, "-c",
            IMPORT_ALL.format(
                absent={"openpyxl"}, optional=HEAVY, names=list(modules("evaluation"))
            ),
        ],
        cwd=HOUSE.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
