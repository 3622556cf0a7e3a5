"""A lifecycle node that owns a stage."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar, TypeVar

from rcl_interfaces.msg import SetParametersResult  # type: ignore[import-not-found, unused-ignore]
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from emopulse_ros.nodes.diagnostics import WARN, Diagnostics, Health
from emopulse_ros.nodes.parameters import Parameter, Table, declare, read, refusal
from emopulse_ros.nodes.stamps import every
from emopulse_ros.nodes.transitions import answering
from emopulse_ros.transport import Adaptation, Publisher, Subscription

AUTOSTART = Parameter(
    "autostart",
    True,
    "configure and activate the node at its start, where nobody manages its lifecycle",
    read_only=True,
)

NAMESPACE = "emopulse"

Item = TypeVar("Item")


class StageNode(LifecycleNode):  # type: ignore[misc]
    """What the three nodes have in common: lifecycle, parameters, errors, diagnostics.

    A node fills in ``allocate`` (configure), ``start`` (activate), ``stop`` (deactivate), ``free``
    (cleanup) and ``health``. What goes wrong is told in a sentence and kept in ``error``. After the
    first two what they had opened is freed, and the node stays in the state it was in; after the
    others everything is freed, and it is unconfigured. A live parameter that is set while the node
    is configured comes to ``adapt``.
    """

    own_name: ClassVar[str]
    table: ClassVar[Table]

    def __init__(self, *, namespace: str = NAMESPACE, **options: Any) -> None:
        """Make an unconfigured node; ``options`` are those of ``rclpy.node.Node``.

        :raises ValueError: if a parameter is given a value it cannot have.
        """
        super().__init__(self.own_name, namespace=namespace, **options)
        try:
            declare(self, self.table)
            self.settings: dict[str, Any] = read(self, self.table)
        except BaseException:
            # Left to the garbage collector, which may come in the middle of another node's making,
            # it has been seen to lock up the middleware.
            self.destroy_node()
            raise
        self.after_configure: Callable[[], None] = _nothing
        """Called when the node has been configured."""
        self.over = threading.Event()
        """Set when the process is to end: what ``allocate`` waits for is given up."""
        self.error: Exception | None = None
        """Why the last transition failed, or the stream that it started."""
        self.errors = 0
        """Items that a stage could not work with."""
        self._diagnostics: Diagnostics | None = None
        self._outlets: list[Publisher[Any]] = []
        self._while_active = ExitStack()
        self._is_allocated = self._is_begun = self._is_running = False
        self.add_on_set_parameters_callback(self._on_parameters)
        self._service_change_state.callback = answering(self._service_change_state.callback)

    def allocate(self) -> None:
        """Open what takes time or memory.

        :raises ValueError: if a parameter cannot be worked with.
        :raises OSError: if something cannot be opened.
        """
        raise NotImplementedError

    def start(self) -> None:
        """Run the stream."""
        raise NotImplementedError

    def stop(self) -> None:
        """Halt the stream, as far as ``start`` got; subscriptions and timers are gone by then."""

    def free(self) -> None:
        """Close what ``allocate`` opened, as far as it got; publishers are gone by then."""
        raise NotImplementedError

    def adapt(self) -> None:
        """Go by ``settings``, in which a live parameter has changed."""

    def health(self) -> Health:
        """How the running node is; asked from a thread of its own."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """Items that wait for the stage."""
        return 0

    def publisher(
        self, adaptation: Adaptation[Item], topic: str, quality: Any, *, inline: bool = False
    ) -> Publisher[Item]:
        """A zero-copy publisher, for ``allocate``: it goes when what that opened is freed."""
        publisher = Publisher(self, adaptation, topic, quality, inline=inline)
        self._outlets.append(publisher)
        return publisher

    def subscribe(
        self, adaptation: Adaptation[Item], topic: str, take: Callable[[Item], None], quality: Any
    ) -> Subscription[Item]:
        """A subscription, for ``start``: ``take`` is guarded, and it goes before ``stop``."""
        subscription = Subscription(
            self, adaptation, topic, lambda item: self.guard(partial(take, item)), quality
        )
        self._while_active.callback(subscription.destroy)
        return subscription

    def look_every(self, seconds: float, look: Callable[[], None]) -> None:
        """Do something again and again, for ``start``: guarded, and it ends before ``stop``."""
        timer = every(self, seconds, partial(self.guard, look))
        self._while_active.callback(self.destroy_timer, timer)

    def shut_down(self) -> None:
        """Stop and free, whatever state it is in; never raises."""
        self._attempt(self._halt)
        self._attempt(self._release)

    def guard(self, work: Callable[[], None]) -> None:
        """Do work on one item; an error is counted and told, and the stream goes on."""
        try:
            work()
        except Exception as error:
            self.errors += 1
            self.get_logger().error(
                f"one item could not be worked with: {error}", throttle_duration_sec=5.0
            )

    def on_configure(self, _: LifecycleState) -> TransitionCallbackReturn:
        self.settings = read(self, self.table)
        self._is_allocated = True
        self.error = self._attempt(self._allocate)
        if self.error is not None:
            self._attempt(self._release)
            return TransitionCallbackReturn.FAILURE
        self.after_configure()
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, _: LifecycleState) -> TransitionCallbackReturn:
        self._is_begun = True
        # Before the stream runs: what ends it at once is not to be lost.
        self.error = None
        failure = self._attempt(self.start)
        if failure is not None:
            self._attempt(self._halt)
            self.error = failure
            return TransitionCallbackReturn.FAILURE
        self._is_running = True
        self.get_logger().info("active")
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, _: LifecycleState) -> TransitionCallbackReturn:
        return self._outcome(self._halt)

    def on_cleanup(self, _: LifecycleState) -> TransitionCallbackReturn:
        return self._outcome(self._release)

    def on_shutdown(self, _: LifecycleState) -> TransitionCallbackReturn:
        self.shut_down()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, _: LifecycleState) -> TransitionCallbackReturn:
        self.shut_down()
        return TransitionCallbackReturn.SUCCESS

    def _outcome(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        self.error = self._attempt(step)
        failed = self.error is not None
        return TransitionCallbackReturn.ERROR if failed else TransitionCallbackReturn.SUCCESS

    def _attempt(self, step: Callable[[], None]) -> Exception | None:
        # rclpy swallows what a transition raises, so it is told here.
        try:
            step()
        except (ValueError, OSError) as error:
            self.get_logger().error(str(error))
            return error
        except Exception as error:
            self.get_logger().error("".join(traceback.format_exception(error)))
            return error
        return None

    def _allocate(self) -> None:
        self.allocate()
        self._diagnostics = Diagnostics(self, self._health)

    def _halt(self) -> None:
        self._is_running = False
        if self._is_begun:
            self._is_begun = False
            try:
                self._while_active.close()
            finally:
                self.stop()

    def _release(self) -> None:
        diagnostics, self._diagnostics = self._diagnostics, None
        if diagnostics is not None:
            diagnostics.close()
        publishers, self._outlets = self._outlets, []
        for publisher in publishers:
            publisher.destroy()
        if self._is_allocated:
            self._is_allocated = False
            self.free()

    def _health(self) -> Health:
        return self.health() if self._is_running else Health(WARN, "not active")

    def _on_parameters(self, given: Sequence[Any]) -> Any:
        values = {parameter.name: parameter.value for parameter in given}
        if self._is_allocated:
            reason = refusal(self.table, values)
            if reason is not None:
                return SetParametersResult(successful=False, reason=reason)
        self.settings = {name: values.get(name, present) for name, present in self.settings.items()}
        if self._is_allocated:
            self.adapt()
        return SetParametersResult(successful=True)


def _nothing() -> None:
    """What is done where nobody asks for more."""
