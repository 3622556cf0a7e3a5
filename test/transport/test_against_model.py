"""A topic whose members come and go, against a model of ten lines."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


class Model:
    """What a topic with one transient-local publisher does, without threads and middleware."""

    def __init__(self, depth: int) -> None:
        self.kept: deque[int] = deque(maxlen=depth)
        self.rings: dict[int, deque[int]] = {}
        self.lost: Counter[int] = Counter()

    def join(self, reader: int, depth: int, is_latched: bool) -> None:
        self.rings[reader] = deque(list(self.kept)[-depth:] if is_latched else (), depth)

    def publish(self, item: int) -> None:
        self.kept.append(item)
        for reader, ring in self.rings.items():
            self.lost[reader] += len(ring) == ring.maxlen
            ring.append(item)


depths = st.integers(1, 4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(1, 6)),
        st.tuples(st.just("join"), st.tuples(depths, st.booleans())),
        st.tuples(st.just("leave"), st.integers(0, 3)),
        st.tuples(st.just("spin"), st.none()),
    ),
    max_size=20,
)


@pytest.fixture
def stage() -> Iterator[Any]:
    """A node, an executor that spins when it is told to, and a number for each example."""
    rclpy = pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    from rclpy.executors import SingleThreadedExecutor

    context = rclpy.Context()
    rclpy.init(context=context)
    executor = SingleThreadedExecutor(context=context)
    node = rclpy.create_node("node", context=context)
    executor.add_node(node)
    yield SimpleNamespace(node=node, executor=executor, examples=count())
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(depth=depths, steps=steps)
def test_order_drops_and_replay_are_those_of_the_model(
    stage: Any, depth: int, steps: list[tuple[str, Any]]
) -> None:
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import Int64

    from emopulse_ros.transport import Adaptation, Publisher, Subscription

    def quality(of_depth: int, is_latched: bool = True) -> QoSProfile:
        late = DurabilityPolicy.TRANSIENT_LOCAL if is_latched else DurabilityPolicy.VOLATILE
        return QoSProfile(depth=of_depth, durability=late)

    node, executor = stage.node, stage.executor
    numbers = Adaptation(
        int, Int64, lambda number: Int64(data=number), lambda message: int(message.data)
    )
    # A topic of its own each time: the middleware may still know the publisher of the last one.
    topic = f"numbers_{next(stage.examples)}"
    publisher = Publisher(node, numbers, topic, quality(depth))
    model = Model(depth)
    readers: dict[int, tuple[Any, list[int]]] = {}
    seen: dict[int, list[int]] = {}
    number = 0
    for step, how in steps:
        if step == "publish":
            for _ in range(how):
                model.publish(number)
                publisher.publish(number)
                number += 1
        elif step == "join":
            name, got = len(seen), []
            seen[name] = got
            readers[name] = Subscription(node, numbers, topic, got.append, quality(*how)), []
            model.join(name, *how)
        elif step == "leave" and how in readers:
            readers.pop(how)[0].destroy()
            del model.rings[how]
        elif step == "spin":
            while any(reader.waiting for reader, _ in readers.values()):
                executor.spin_once(timeout_sec=5.0)
            for name, (_, expected) in readers.items():
                expected += model.rings[name]
                model.rings[name].clear()
        for name, (reader, expected) in readers.items():
            assert seen[name] == expected
            assert reader.waiting == len(model.rings[name])
            assert reader.overwritten == model.lost[name]
    for reader, _ in readers.values():
        reader.destroy()
    publisher.destroy()
