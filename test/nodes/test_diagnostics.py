from __future__ import annotations

from typing import Any

import pytest


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
        assert 0.0 <= float(flow["age of the last frame (ms)"]) < 5000.0
        assert soon(lambda: 0 < used(told["flow_node"]) < 100)
        assert soon(lambda: 0 < used(told["au_node"]) < 100)
        assert au["engine"] == "none at all"
        assert float(au["latency, median (ms)"]) <= float(au["latency, p99 (ms)"])

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
