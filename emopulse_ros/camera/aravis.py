"""Where Aravis is imported: the library for GenICam cameras, which is optional (LGPL)."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from emopulse_ros.camera.source import CameraError

DEBIANS = Path("/usr/lib/python3/dist-packages/gi")
"""Debian's binding of GObject libraries, which a virtual environment does not see."""

REMEDY = "sudo apt install gir1.2-aravis-0.8 python3-gi"


class Libraries(NamedTuple):
    """Aravis and the GLib whose errors it raises."""

    aravis: Any
    glib: Any


def load_aravis() -> Libraries:
    """Import Aravis 0.8.

    :raises CameraError: a sentence on what to install.
    """
    try:
        gi = import_module("gi")
    except ImportError:
        gi = _debians_gi()
    try:
        gi.require_version("Aravis", "0.8")
        names = ("gi.repository.Aravis", "gi.repository.GLib")
        return Libraries(*map(import_module, names))
    except (ImportError, ValueError) as error:
        raise CameraError(f"GenICam cameras need Aravis 0.8: {REMEDY}") from error


def _debians_gi() -> ModuleType:
    """Import that one package from Debian's folder, and nothing else from there."""
    start = DEBIANS / "__init__.py"
    if not start.is_file():
        raise CameraError(f"GenICam cameras need Aravis and its binding for Python: {REMEDY}")
    version = "{}{}".format(*sys.version_info)
    if not any(DEBIANS.glob(f"_gi.cpython-{version}-*.so")):
        raise CameraError(
            f"Debian's python3-gi is not for this Python {sys.version_info[0]}."
            f"{sys.version_info[1]}, which GenICam cameras need it for: use the system's Python, "
            "or pip install PyGObject"
        )
    spec = spec_from_file_location("gi", start, submodule_search_locations=[str(DEBIANS)])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["gi"] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules["gi"]
        raise CameraError(f"Debian's python3-gi does not load: {error}") from error
    return module
