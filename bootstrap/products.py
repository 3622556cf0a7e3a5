"""What the set-up itself puts into the virtual environment: start-up, messages, emopulse_ros."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bootstrap import startup
from bootstrap.ground import Ground

EXECUTABLES = ("camera_node", "flow_node", "au_node", "view_node", "emopulse_container")
"""What `ros2 run emopulse_ros ...` and launch files know."""

SHARED = ("launch", "config", "examples")
"""Folders whose files are installed into `share/`."""


def startup_lines(ground: Ground) -> list[str]:
    """What Python's start-up has to complete, as :mod:`bootstrap.startup` reads it."""
    paths = ground.search_paths().items()
    return [f"{name}={os.pathsep.join(folders)}\n" for name, folders in paths]


def install_startup(ground: Ground) -> None:
    """Make every start of the virtual environment's Python find ROS."""
    # Its name sorts it before the .pth of ROS's wheels, whose start it replaces.
    module = ground.site_packages / "emopulse_startup.py"
    module.with_suffix(".txt").write_text("".join(startup_lines(ground)))
    shutil.copyfile(startup.__file__, module)
    folders = [f"{folder}\n" for folder in ground.ros.entries("PYTHONPATH")]
    start = "import emopulse_startup; emopulse_startup.start()\n"
    module.with_suffix(".pth").write_text("".join([*folders, start]))


def build_messages(ground: Ground, package: Path) -> None:
    """Let colcon build an interface package into the virtual environment, over an older build."""
    name = package.name
    for pattern in (
        f"lib/lib{name}_*", f"share/{name}", f"include/{name}",
        f"share/ament_index/resource_index/*/{name}", f"lib/*/site-packages/{name}*",
    ):  # fmt: skip
        for old in ground.venv.glob(pattern):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    build = ground.ledger / "build"
    shutil.rmtree(build, ignore_errors=True)
    ground.run(
        "messages", ground.python, "-m", "colcon", "--log-base", ground.ledger / "colcon",
        "build", "--base-paths", package,
        "--build-base", build, "--install-base", ground.venv, "--merge-install",
        "--cmake-args", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={ground.python}",
    )  # fmt: skip
    shutil.rmtree(build)


def shared_files(ground: Ground) -> list[Path]:
    """Launch files, configuration and examples, which belong into `share/`."""
    folders = (ground.root / name for name in SHARED)
    return sorted(file for folder in folders for file in folder.iterdir() if file.is_file())


def compile_flow(ground: Ground) -> None:
    """Compile the flow for this processor; the first start would do it otherwise."""
    told = "from emopulse_ros.flow.methods import methods; print(methods().why)"
    ground.run("flow", ground.python, "-c", told)


def install_product(ground: Ground) -> None:
    """Install emopulse_ros so that edits of its source take effect.

    pip leaves out what ROS looks for in `lib/` and `share/`; links make up for it.
    """
    ground.pip("product", "--no-deps", "--no-build-isolation", "--editable", ground.root)
    index = ground.venv / "share/ament_index/resource_index/packages/emopulse_ros"
    share = ground.venv / "share/emopulse_ros"
    links = {index: ground.root / "resource/emopulse_ros"}
    links[share / "package.xml"] = ground.root / "package.xml"
    links |= {share / file.relative_to(ground.root): file for file in shared_files(ground)}
    libexec = ground.venv / "lib/emopulse_ros"
    links |= {libexec / name: ground.venv / "bin" / name for name in EXECUTABLES}
    for folder in (share / name for name in SHARED):
        # `ros2 launch` looks into folders, and not through links to them.
        if folder.is_symlink():
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)
    for link, target in links.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
