"""How a type that travels inside a process becomes a ROS message, and back (after REP-2007)."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, is_dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


def by_stamp(message: Any) -> Hashable:
    """What tells one message of a topic from the next: its capture stamp and frame.

    A message without a header, or whose stamp nobody set, is known by its content.
    """
    header = getattr(message, "header", None)
    if header is None or not (header.stamp.sec or header.stamp.nanosec):
        # Not by its serialised form: the bytes that pad that are anything.
        return hashlib.blake2b(repr(_content(message)).encode(), digest_size=16).digest()
    return (header.stamp.sec, header.stamp.nanosec, header.frame_id)


def _content(value: Any) -> Any:
    if hasattr(value, "get_fields_and_field_types"):
        return [_content(getattr(value, name)) for name in value.get_fields_and_field_types()]
    if isinstance(value, (list, tuple)):
        return [_content(entry) for entry in value]
    return value.tobytes() if hasattr(value, "tobytes") else value


@dataclass(frozen=True, slots=True)
class Adaptation(Generic[Item]):
    """A travelling type bound to a ROS message type.

    The conversions are called only when an item must cross the border of the process.
    ``identity`` gives equal values for two messages only if they say the same thing: by it an
    item that comes back from the middleware is known, and not delivered a second time.
    ``header`` makes the ``std_msgs/Header`` of an item that has none of its own, for
    message_filters.
    """

    item: type[Item]
    message: type[Any]
    to_message: Callable[[Item], Any]
    from_message: Callable[[Any], Item]
    identity: Callable[[Any], Hashable] = by_stamp
    header: Callable[[Item], Any] | None = None
    _arrays: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        hints = getattr(self.item, "__annotations__", {}) if is_dataclass(self.item) else {}
        arrays = tuple(name for name, hint in hints.items() if "NDArray" in str(hint))
        object.__setattr__(self, "_arrays", arrays)

    def check(self, item: Item) -> None:
        """Refuse what must not be shared.

        :raises TypeError: if the item is not of the travelling type.
        :raises ValueError: if one of its arrays can be written to; of a travelling type that is
            no dataclass nothing is known.
        """
        if not isinstance(item, self.item):
            raise TypeError(f"expected {self.item.__name__}, got {type(item).__name__}")
        for name in self._arrays:
            if getattr(item, name).flags.writeable:
                raise ValueError(
                    f"{name} of this {self.item.__name__} can be written to, but all "
                    "subscriptions share it: mark it read-only before publishing"
                )

    def own(self, item: Item) -> Item:
        """A deep copy, for somebody who wants to change it; its arrays can be written to."""
        return copy.deepcopy(item)


def plain(message: type[Item]) -> Adaptation[Item]:
    """A ROS message that travels as itself; who publishes one no longer writes to it."""
    return Adaptation(message, message, _same, _same)


def adapted(kind: Adaptation[Item] | type[Item]) -> Adaptation[Item]:
    """An adaptation as it is, a ROS message type as :func:`plain` makes it."""
    return kind if isinstance(kind, Adaptation) else plain(kind)


def _same(message: Any) -> Any:
    return message
