"""What makes a subscription a filter of message_filters, where that is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

try:
    from message_filters import SimpleFilter
except ImportError:

    class SimpleFilter:  # type: ignore[no-redef]
        """Stands in, by the same names, where message_filters is not installed.

        ``apt install ros-$ROS_DISTRO-message-filters`` brings it, with filters to connect to.
        """

        def __init__(self) -> None:
            self.callbacks: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}

        def registerCallback(self, callback: Callable[..., Any], *args: Any) -> int:  # noqa: N802
            """Have ``callback(item, *args)`` called with each item; return its number."""
            self.callbacks[len(self.callbacks)] = (callback, args)
            return len(self.callbacks) - 1

        def signalMessage(self, *items: Any) -> None:  # noqa: N802
            """Call all callbacks."""
            for callback, args in self.callbacks.values():
                callback(*items, *args)


from emopulse_ros.transport.adaptation import Adaptation

Item = TypeVar("Item")


class Stamped(Generic[Item]):
    """An item beside its header, as filters that look at ``message.header.stamp`` want it."""

    __slots__ = ("header", "item")

    def __init__(self, header: Any, item: Item) -> None:
        self.header = header
        """``std_msgs/Header``"""
        self.item = item
        """The very object that was published."""


def stamped(adaptation: Adaptation[Item], item: Item) -> Any:
    """An item as filters get it: itself if it has a header, else beside the one made for it."""
    if adaptation.header is None or hasattr(item, "header"):
        return item
    return Stamped(adaptation.header(item), item)


__all__ = ["SimpleFilter", "Stamped", "stamped"]
