"""The types of a bag's messages: those defined in it, ROS's own, and ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from emopulse_ros.bag.errors import BagError

_IDL_SEPARATOR = "=" * 80 + "\n"

if TYPE_CHECKING:
    from rosbags.interfaces.typing import Typesdict

PACKAGE = "emopulse_msgs"


def typestore_of(definitions: Mapping[str, MessageDefinition]) -> Typestore:
    """A store of the types defined, and for what is not defined those of ROS 2 Jazzy and ours."""
    store = get_typestore(Stores.EMPTY)
    types: Typesdict = {}
    for name, definition in definitions.items():
        if definition.format == MessageDefinitionFormat.MSG:
            types.update(get_types_from_msg(definition.data, name))
            continue
        for part in definition.data.split(_IDL_SEPARATOR):
            if part.strip():
                types.update(get_types_from_idl(part.partition("\n")[2] or part))
    others = {**get_typestore(Stores.ROS2_JAZZY).fielddefs, **_ours()}
    store.register({**{name: one for name, one in others.items() if name not in types}, **types})
    return store


def own_typestore() -> Typestore:
    """A store to write bags with.

    :raises BagError: if the definitions of emopulse_msgs are nowhere to be found.
    """
    ours = _ours()
    if not ours:
        raise BagError(
            f"the definitions of {PACKAGE} are not there: build it with colcon and source its "
            "setup, or run from the source tree"
        )
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(ours)
    return store


def _ours() -> Typesdict:
    types: Typesdict = {}
    for folder in _folders():
        for file in sorted(folder.glob("*.msg")):
            types.update(get_types_from_msg(file.read_text("utf-8"), f"{PACKAGE}/msg/{file.stem}"))
        if types:
            break
    return types


def _folders() -> list[Path]:
    """Where the definitions may lie: in the source tree, or where colcon has put them."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    source = Path(__file__).parents[2] / PACKAGE / "msg"
    return [source, *(Path(prefix) / "share" / PACKAGE / "msg" for prefix in prefixes if prefix)]
