"""What has to be done, in which order, and what each step is made from."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bootstrap import debian, packages, products, startup
from bootstrap.failure import SetupError
from bootstrap.ground import Ground
from bootstrap.machine import demand_tools
from bootstrap.ros import find_ros
from bootstrap.steps import Ledger, Step, digest

PARTS = {
    "viewer": "what draws the demo's timeline",
    "view": "what Foxglove is served with",
    "evaluation": "what reads rosbags and data sets",
    "test": "the tools of the tests",
    "tensorrt": "a TensorRT that needs no GPU to build",
    "training": "PyTorch and what else training needs",
}
"""What can be asked for on top of the runtime: the name of a requirement file, and words."""


def prepare(root: Path, parts: list[str]) -> None:
    """Bring `.venv` to where the runtime and the named parts work.

    :raises SetupError: if that cannot be done, saying why.
    """
    ground = Ground(root, find_ros(root / ".venv"))
    ledger = Ledger(ground.ledger)
    venv = _venv(ground)
    if ground.venv.exists() and not ground.ledger.is_dir():
        raise SetupError(f"{ground.venv} was made by something else; move it away or delete it")
    afresh = ledger.wrecked() or not ledger.done(venv) or not ground.python.exists()
    if afresh or not all(ledger.done(step) for step in _runtime(ground)):
        demand_tools()
    if afresh:
        ledger.start_afresh(ground.venv)
        ledger.run([venv])
    ledger.run(_runtime(ground))
    ledger.run(_part(ground, name) for name in PARTS if name in parts)
    if "test" in parts:
        ledger.run([_aravis(ground)])
        if not ground.ros.has("hri_msgs"):
            ledger.run([_humans(ground)])


def _venv(ground: Ground) -> Step:
    version = platform.python_version()
    # A virtual environment holds its own path in many places: a moved one is good for nothing.
    who = f"{ground.venv} {Path(sys.executable).resolve()} {version} {ground.ros.identity}"
    says = f"making .venv with Python {version} on {ground.ros.name}"
    return Step("venv", says, digest(who), partial(packages.make_venv, ground), fragile=True)


def _runtime(ground: Ground) -> Iterator[Step]:
    """The libraries, ROS among them where it comes from wheels, and our two packages.

    Each step is made when the one before is done: what it depends on may come from there.
    """
    root = ground.root
    lists = packages.runtime_lists(ground)
    pinned = digest(*map(ground.requirements, [*lists, "weights", "constraints"]))
    says = f"installing {'' if ground.ros.sourced else 'ROS and '}the libraries"
    yield Step("packages", says, pinned, partial(packages.install_runtime, ground), fragile=True)

    lines = digest(*products.startup_lines(ground), Path(startup.__file__))
    says = "telling Python where ROS is"
    yield Step("startup", says, lines, partial(products.install_startup, ground))

    messages = digest(*map(ground.requirements, ("ros", "build")), root / "emopulse_msgs")
    says = "building emopulse_msgs"
    build = partial(products.build_messages, ground, root / "emopulse_msgs")
    yield Step("messages", says, messages, build)

    manifest = ("setup.py", "setup.cfg", "pyproject.toml", "package.xml")
    names = (file.name for file in products.shared_files(ground))
    product = digest(*(root / name for name in manifest), Path(products.__file__), *names)
    says = "installing emopulse_ros"
    yield Step("product", says, product, partial(products.install_product, ground))

    loops = digest(pinned, root / "emopulse_ros/flow")
    says = "compiling the flow for this processor"
    yield Step("flow", says, loops, partial(products.compile_flow, ground))


def _part(ground: Ground, name: str) -> Step:
    pinned = digest(*map(ground.requirements, (name, "constraints")))
    says = f"installing {PARTS[name]}"
    return Step(name, says, pinned, partial(packages.install, ground, name, [name]), fragile=True)


def _humans(ground: Ground) -> Step:
    """Messages of REP-155, which a distribution has and the wheels have not."""
    package = ground.root / "test/hri_msgs"
    made_from = digest(*map(ground.requirements, ("ros", "build")), package)
    build = partial(products.build_messages, ground, package)
    return Step("hri_msgs", "building hri_msgs for the tests", made_from, build)


def _aravis(ground: Ground) -> Step:
    """Whether it can be done or not it is tried once, for tests do without it."""
    says = "installing Aravis for the tests of GigE cameras"
    return Step("aravis", says, digest(*debian.ARAVIS), partial(debian.install_aravis, ground))
