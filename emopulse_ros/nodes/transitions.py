"""Transitions that are asked for over ROS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation


def answering(serve: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A service that says no to a transition that is none from here.

    rclpy raises instead, and whoever asked waits for an answer for ever.
    """

    def answer(request: Any, response: Any) -> Any:
        try:
            return serve(request, response)
        except rclpy_implementation.RCLError:
            response.success = False
            return response

    return answer
