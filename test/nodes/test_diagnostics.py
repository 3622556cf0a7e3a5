from __future__ import annotations

from typing import Any

import pytest

EVERY_NODE = {
    "rate (Hz)",
    "share of the time used",
    "latency, median (ms)",
    "latency, p99 (ms)",
    "age of the last frame (ms)",
}
"""What every node tells of its stream, in the same words."""


def values(status: Any) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def used(status: Any) -> int:
    return int(values(status)["share of the time used"].removesuffix("%"))


def test_the_load_is_the_share_of_time_that_work_took(monkeypatch: pytest.MonkeyPatch) -> None:
    from emopulse_ros.nodes import diagnostics
    from emopulse_ros.nodes.samples import Samples

    clock = iter([10.0, 11.0, 13.0])
    monkeypatch.setattr(diagnostics.time, "monotonic", lambda: next(clock))
    one, other = Samples(), Samples()
    load = diagnostics.Load(one, other)
    for work in (one, other):
        for _ in range(100):
            work.add(2.0)
    assert load() == pytest.approx(0.4)
    one.add(500.0)
    other.add(50.0)
    other.add(50.0)
    assert load() == pytest.approx(0.3)


def test_the_same_is_told_of_every_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from emopulse_ros.nodes import diagnostics
    from emopulse_ros.nodes.samples import Samples

    clock = iter([10.0, 10.0, 12.0, 12.0, 13.0, 13.0])
    monkeypatch.setattr(diagnostics.time, "monotonic", lambda: next(clock))
    latency, work = Samples(), Samples()
    vitals = diagnostics.Vitals(lambda: 7_500_000, latency, work)
    for _ in range(100):
        latency.add(3.0)
        work.add(2.0)
    latency.add(9.0)
    told = vitals(300, 5_000_000)
    assert set(told) == EVERY_NODE
    assert (vitals.rate, vitals.median) == (150.0, 3.0)
    assert told["rate (Hz)"] == "150.0"
    assert told["share of the time used"] == "10%"
    assert told["latency, median (ms)"] == told["latency, p99 (ms)"] == "3.00"
    assert told["age of the last frame (ms)"] == "2.5"
    # What was told is not told again; before the first frame there is no age.
    told = vitals(300, 0)
    assert (told["rate (Hz)"], told["share of the time used"]) == ("0.0", "0%")
    assert told["latency, median (ms)"] == told["age of the last frame (ms)"] == "nan"


def test_every_node_tells_how_it_is(light: Any, told: Any, unhurried: str, soon: Any) -> None:
    from emopulse_ros.nodes.container import Container

    light.count = 10**9
    with Container(parameters_file=unhurried):
        assert soon(lambda: len(told) == 3 and all(ord(s.level) == 0 for s in told.values()))
        camera, flow, au = (values(told[n]) for n in ("camera_node", "flow_node", "au_node"))
        assert told["camera_node"].name == "/emopulse/camera_node"
        assert camera["camera"] == "light"
        assert float(camera["rate (Hz)"]) > 0
        assert camera["skipped frames"] == flow["dropped frames"] == "0"
        assert flow["face"] == "following a face"
        for each in (camera, flow, au):
            assert set(each) >= EVERY_NODE
            assert 0.0 <= float(each["age of the last frame (ms)"]) < 5000.0
            assert float(each["latency, median (ms)"]) <= float(each["latency, p99 (ms)"])
        for name in ("camera_node", "flow_node", "au_node"):
            assert soon(lambda name=name: 0 < used(told[name]) < 100)
        assert au["engine"] == "none at all"
        assert au["fields of no use"] == "0"

        light.has_face = False
        assert soon(lambda: told["flow_node"].message == "no face in view")
        assert ord(told["flow_node"].level) == 1
        assert soon(lambda: told["au_node"].message == "no face, no activations")


def test_what_cannot_be_told_is_an_error_and_not_the_end(
    light: Any, told: Any, unhurried: str, soon: Any, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emopulse_ros.nodes import diagnostics
    from emopulse_ros.nodes.container import Container

    def broken() -> None:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(diagnostics, "PERIOD_S", 0.1)
    light.count = 10**9
    with Container(parameters_file=unhurried) as container:
        camera = container.camera_node
        assert soon(lambda: "camera_node" in told and ord(told["camera_node"].level) == 0)
        with monkeypatch.context() as patch:
            patch.setattr(camera, "health", broken)
            assert soon(lambda: "nothing to divide by" in told["camera_node"].message)
            assert ord(told["camera_node"].level) == 2
            told.clear()
            assert soon(lambda: "camera_node" in told)
        assert soon(lambda: ord(told["camera_node"].level) == 0)
        with monkeypatch.context() as patch:
            patch.setattr(camera, "get_clock", broken)
            told.clear()
            assert soon(lambda: {"flow_node", "au_node"} <= set(told))
        told.clear()
        assert soon(lambda: "camera_node" in told)
    assert capfd.readouterr().err.count("the diagnostics failed, and go on") == 1


def test_a_camera_that_failed_and_missing_images_are_errors(
    light: Any, told: Any, unhurried: str, soon: Any
) -> None:
    from emopulse_ros.nodes.container import Container

    light.fails_at = 5
    with Container(parameters_file=unhurried):
        assert soon(
            lambda: (
                [ord(told[name].level) for name in ("camera_node", "flow_node") if name in told]
                == [2, 2]
            )
        )
        assert told["camera_node"].message == "The cable was pulled out."
        assert told["flow_node"].message == "no images on /emopulse/camera/image_raw"


def test_the_view_tells_the_same_of_its_pictures(
    light: Any, told: Any, unhurried: str, ros: Any, soon: Any
) -> None:
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes.container import Container

    light.count = 10**9
    node = ros.process().node("looker")
    with Container(parameters_file=unhurried, annotated=True):
        assert soon(lambda: "view_node" in told)
        assert values(told["view_node"])["age of the last frame (ms)"] == "nan"
        node.create_subscription(Image, "/emopulse/camera/annotated", lambda _: None, 2)
        assert soon(lambda: told["view_node"].message.endswith("pictures a second"))
        assert soon(lambda: used(told["view_node"]) > 0)
        view = values(told["view_node"])
    assert set(view) >= EVERY_NODE
    assert 0.0 < float(view["latency, median (ms)"]) <= float(view["latency, p99 (ms)"])
    assert 0.0 <= float(view["age of the last frame (ms)"]) < 5000.0
    assert int(view["overwritten in the queues"]) >= 0


def test_faces_that_another_detector_does_not_know_are_told(
    light: Any, told: Any, unhurried: str, soon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are published under no name, and that must not pass in silence."""
    from emopulse_ros.nodes import au_node
    from emopulse_ros.nodes.container import Container

    class Strangers:
        nameless = 2

        def __init__(self, *_: Any, **__: Any) -> None: ...
        def tell(self, *_: Any) -> None: ...
        def close(self) -> None: ...

    monkeypatch.setattr(au_node, "installed", lambda: True)
    monkeypatch.setattr(au_node, "Humans", Strangers)
    light.count = 10**9
    with Container(parameters_file=unhurried):
        assert soon(lambda: "au_node" in told and told["au_node"].values)
        assert values(told["au_node"])["faces without a name"] == "2"


def test_a_stream_too_slow_to_be_read_is_told_in_log_and_diagnostics(
    light: Any, told: Any, soon: Any, capfd: Any
) -> None:
    from emopulse_ros.nodes.container import Container

    light.count, light.period = 10**9, 1_000_000_000 // 15
    says = "nothing can be read from fewer than 17"
    with Container():
        assert soon(lambda: "flow_node" in told and says in told["flow_node"].message)
        assert ord(told["flow_node"].level) == 1
    assert capfd.readouterr().err.count(says) == 1
