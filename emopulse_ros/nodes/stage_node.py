"""A lifecycle node that owns a stage."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from emopulse_ros.nodes.diagnostics import WARN, Diagnostics, Health
from emopulse_ros.nodes.parameters import Parameter, Table, declare, read

AUTOSTART = Parameter(
    "autostart",
    True,
    "configure and activate the node at its start, where nobody manages its lifecycle",
    read_only=True,
)

NAMESPACE = "emopulse"


class StageNode(LifecycleNode):  # type: ignore[misc]
    """What the three nodes have in common: lifecycle, parameters, errors, diagnostics.

    A node fills in ``allocate`` (configure), ``start`` (activate), ``stop`` (deactivate), ``free``
    (cleanup) and ``health``. What goes wrong in the first two is told in a sentence, kept in
    ``error``, and the node stays in the state it was in.
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
        self.error: Exception | None = None
        """Why the last transition failed."""
        self.errors = 0
        """Items that a stage could not work with."""
        self._diagnostics: Diagnostics | None = None
        self._is_running = False

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
        """Halt the stream; nothing is published any more."""
        raise NotImplementedError

    def free(self) -> None:
        """Close what ``allocate`` opened, as far as it got."""
        raise NotImplementedError

    def health(self) -> Health:
        """How the running node is; asked from a thread of its own."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """Items that wait for the stage."""
        return 0

    def shut_down(self) -> None:
        """Stop and free, whatever state it is in; never raises."""
        self._halt()
        self._release()

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
        if not self._succeeds(self.allocate):
            self.free()
            return TransitionCallbackReturn.FAILURE
        self._diagnostics = Diagnostics(self, self._health)
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, _: LifecycleState) -> TransitionCallbackReturn:
        if not self._succeeds(self.start):
            return TransitionCallbackReturn.FAILURE
        self._is_running = True
        self.get_logger().info("active")
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, _: LifecycleState) -> TransitionCallbackReturn:
        self._halt()
        return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self, _: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, _: LifecycleState) -> TransitionCallbackReturn:
        self.shut_down()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, _: LifecycleState) -> TransitionCallbackReturn:
        self.shut_down()
        return TransitionCallbackReturn.SUCCESS

    def _succeeds(self, step: Callable[[], None]) -> bool:
        # rclpy swallows what a transition raises, so it is told here.
        self.error = None
        try:
            step()
        except (ValueError, OSError) as error:
            self.error = error
            self.get_logger().error(str(error))
        except Exception as error:
            self.error = error
            self.get_logger().error("".join(traceback.format_exception(error)))
        return self.error is None

    def _halt(self) -> None:
        if self._is_running:
            self._is_running = False
            self.stop()

    def _release(self) -> None:
        if self._diagnostics is not None:
            self._diagnostics.close()
            self._diagnostics = None
            self.free()

    def _health(self) -> Health:
        return self.health() if self._is_running else Health(WARN, "not active")
