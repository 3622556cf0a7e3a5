"""REP-155: what behaviour nodes hear of each face."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation, FlowStep, read_only

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
hri = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed")

from emopulse_ros.nodes import humans as module  # noqa: E402
from emopulse_ros.nodes import other_faces  # noqa: E402
from emopulse_ros.nodes.boxes import box_of, nearest, overlap  # noqa: E402
from emopulse_ros.nodes.humans import FACES, Humans, prefix_of  # noqa: E402

MS = 1_000_000
SIZE = (640, 480)


def step(number: int, face_id: int = 1, at: tuple[float, float] = (100.0, 60.0)) -> FlowStep:
    """A face whose 64 x 64 field covers 128 pixels of the picture from ``at`` on."""
    place = read_only(np.array([[2.0, 0.0, at[0] + 0.5], [0.0, 2.0, at[1] + 0.5]]))
    data = read_only(np.zeros((9, 64, 64), np.float32))
    names = tuple(f"channel_{index}" for index in range(9))
    return FlowStep(number * 5 * MS, number, face_id, data, names, place, frame_size=SIZE)


def activation(of: FlowStep, level: float = 0.25) -> Activation:
    probability = read_only(np.linspace(0.05, 0.95, len(CODES), dtype=np.float32))
    intensity = read_only(np.full(len(CODES), level, np.float32))
    return Activation(
        of.stamp, of.sequence, of.face_id, CODES, probability, intensity, 1.0, "m", "0", "optical"
    )


class Ears:
    """A behaviour node: keeps what it hears."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.lists: list[list[str]] = []
        self.facs: dict[str, list[Any]] = {}
        self.regions: dict[str, list[Any]] = {}
        node.create_subscription(hri.IdsList, f"{FACES}/tracked", self._hear, 10)

    def listen(self, name: str) -> None:
        """As behaviour nodes do: reliable, ten messages deep."""
        self.facs[name], self.regions[name] = [], []
        listen = self.node.create_subscription
        listen(hri.FacialActionUnits, f"{FACES}/{name}/facs", self.facs[name].append, 10)
        listen(
            hri.NormalizedRegionOfInterest2D, f"{FACES}/{name}/roi", self.regions[name].append, 10
        )

    def _hear(self, message: Any) -> None:
        self.lists.append(list(message.ids))


@pytest.fixture
def ears(ros: Any) -> Ears:
    return Ears(ros.process().node("behaviour"))


@pytest.fixture
def robot(ros: Any) -> Any:
    return ros.process()


@pytest.fixture
def spin(robot: Any) -> Any:
    """Calls in the thread that spins the node, as the stream does."""
    return robot.spinner.call


@pytest.fixture
def speaker(robot: Any) -> Any:
    return robot.node("au_node")


@pytest.fixture
def tell(spin: Any) -> Any:
    def tell(humans: Humans, of: FlowStep) -> None:
        spin(lambda: humans.tell(of, activation(of)))

    return tell


@pytest.fixture
def own(speaker: Any, spin: Any) -> Iterator[Humans]:
    humans = spin(lambda: Humans(speaker, follow=False))
    yield humans
    spin(humans.close)


@pytest.fixture
def told(own: Humans, ears: Ears, tell: Any, soon: Any) -> str:
    """The id of a face that was told of until the behaviour node has heard it."""
    numbers = iter(range(10**6))
    ears.listen(name := f"{prefix_of('/au_node')}00001")

    def heard() -> bool:
        tell(own, step(next(numbers)))
        return bool(ears.facs[name] and ears.regions[name])

    assert soon(heard)
    return name


def test_all_99_units_and_only_the_measured_are_sure(told: str, ears: Ears) -> None:
    message = ears.facs[told][-1]
    assert len(message.intensity) == len(message.confidence) == 99
    others = [code for code in range(99) if code not in CODES]
    assert not message.confidence[others].any()
    assert not message.intensity[others].any()
    np.testing.assert_allclose(message.intensity[list(CODES)], 0.25)
    given = np.linspace(0.05, 0.95, len(CODES))
    np.testing.assert_allclose(
        message.confidence[list(CODES)], np.maximum(given, 1.0 - given), rtol=1e-6
    )
    assert message.header.frame_id == "optical"
    stamp = message.header.stamp
    assert (stamp.sec * 10**9 + stamp.nanosec) % (5 * MS) == 0


def test_the_region_lies_where_the_face_is(told: str, ears: Ears) -> None:
    region = ears.regions[told][-1]
    found = (region.xmin, region.ymin, region.xmax, region.ymax)
    np.testing.assert_allclose(found, (100 / 640, 60 / 480, 228 / 640, 188 / 480), atol=1e-6)
    assert region.c == 1.0


def test_a_face_is_listed_while_it_is_there(
    own: Humans, ears: Ears, tell: Any, soon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GONE_S", 0.3)
    tell(own, step(0))
    tell(own, step(0, face_id=7, at=(300.0, 60.0)))
    prefix = prefix_of("/au_node")
    assert soon(lambda: [f"{prefix}00001", f"{prefix}00007"] in ears.lists)
    assert soon(lambda: ears.lists[-1] == [])
    # It is told again and again: who comes late hears it too.
    count = len(ears.lists)
    assert soon(lambda: len(ears.lists) > count + 3)
    facs = f"{FACES}/{prefix}00001/facs"
    assert soon(lambda: not ears.node.get_publishers_info_by_topic(facs))


def test_ids_of_two_nodes_are_never_the_same() -> None:
    eyes = ["/left_eye", "/right_eye", "/left/eye", "/lefteye", "/emopulse", ""]
    prefixes = {prefix_of(f"{namespace}/au_node") for namespace in eyes}
    assert len(prefixes) == len(eyes)
    assert all(re.fullmatch("[a-z]{5}", prefix) for prefix in prefixes)
    # It is known before: a recording of yesterday and a robot of today agree.
    assert prefix_of("/emopulse/au_node") == "lrbhv"


def test_two_lists_are_told_of_once(
    robot: Any, spin: Any, tell: Any, soon: Any, capfd: Any
) -> None:
    nodes = [robot.node("au_node", namespace=name) for name in ("left_eye", "right_eye")]
    left, right = (spin(lambda node=node: Humans(node, follow=False)) for node in nodes)
    for humans in (left, right):
        tell(humans, step(0))
    assert not set(left.ids) & set(right.ids)
    assert len(left.ids) == len(right.ids) == 1
    told: list[str] = []

    def hear() -> str:
        told.append(capfd.readouterr().err)
        return "".join(told)

    sentence = "/right_eye/au_node publishes /humans/faces/tracked as well"
    assert soon(lambda: sentence in hear() and sentence.replace("right", "left") in hear())
    assert not soon(lambda: hear().count("as well") > 2, 0.5)
    for humans in (left, right):
        spin(humans.close)


def test_nothing_is_left_behind(speaker: Any, spin: Any) -> None:
    def kept() -> list[list[Any]]:
        return [list(speaker.publishers), list(speaker.subscriptions), list(speaker.timers)]

    before = kept()
    for follow in (False, True):
        humans = spin(lambda follow=follow: Humans(speaker, follow=follow))
        spin(lambda humans=humans: humans.tell(step(0), activation(step(0))))
        spin(humans.close)
    assert kept() == before


class Detector:
    """Another face detector of the robot."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._list = node.create_publisher(hri.IdsList, f"{FACES}/tracked", 10)
        self._regions: dict[str, Any] = {}

    def show(self, **faces: tuple[float, float, float, float]) -> None:
        self._list.publish(hri.IdsList(ids=list(faces)))
        self.show_regions(**faces)

    def show_regions(self, **faces: tuple[float, float, float, float]) -> None:
        for name, (left, top, right, bottom) in faces.items():
            if name not in self._regions:
                self._regions[name] = self._node.create_publisher(
                    hri.NormalizedRegionOfInterest2D, f"{FACES}/{name}/roi", 10
                )
            region = hri.NormalizedRegionOfInterest2D(
                xmin=left, ymin=top, xmax=right, ymax=bottom, c=0.9
            )
            self._regions[name].publish(region)


@pytest.fixture
def other(ros: Any) -> Detector:
    return Detector(ros.process().node("face_detect"))


@pytest.fixture
def follower(speaker: Any, spin: Any) -> Iterator[Humans]:
    humans = spin(lambda: Humans(speaker, follow=True))
    yield humans
    spin(humans.close)


def test_ids_of_another_detector_are_taken(
    other: Detector, follower: Humans, ears: Ears, tell: Any, soon: Any
) -> None:
    ears.listen("abcde")
    ears.listen("fghij")
    numbers = iter(range(10**6))
    left, right = (0.15, 0.1, 0.38, 0.42), (0.6, 0.1, 0.9, 0.5)

    def heard(name: str, **faces: tuple[float, float, float, float]) -> bool:
        other.show(**faces)
        tell(follower, step(next(numbers)))
        return bool(ears.facs[name])

    assert soon(lambda: heard("fghij", abcde=right, fghij=left))
    assert not ears.facs["abcde"]
    assert follower.nameless == 0
    # We list nobody: that is the other's.
    assert soon(lambda: (other.show(abcde=right, fghij=left), ears.lists)[1])
    assert all(sorted(names) == ["abcde", "fghij"] for names in ears.lists)
    # The other detector loses that face, and finds it again by another id.
    assert soon(lambda: heard("abcde", abcde=left))


def test_the_faces_of_a_detector_that_died_are_forgotten(
    other: Detector,
    follower: Humans,
    ears: Ears,
    tell: Any,
    soon: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(other_faces, "SILENT_S", 0.5)
    ears.listen("abcde")
    numbers = iter(range(10**6))
    here = (0.15, 0.1, 0.38, 0.42)

    def heard(*, alive: bool) -> int:
        if alive:
            other.show(abcde=here)
        tell(follower, step(next(numbers)))
        return len(ears.facs["abcde"])

    assert soon(lambda: heard(alive=True))
    assert soon(lambda: (heard(alive=False), follower.nameless)[1] == 1)
    assert soon(lambda: not ears.node.get_publishers_info_by_topic(f"{FACES}/abcde/facs"))
    count = len(ears.facs["abcde"])
    # Its regions come again, though the list does not.
    other.show = other.show_regions  # type: ignore[method-assign]
    assert soon(lambda: heard(alive=True) > count)


def test_a_face_the_other_does_not_know_is_not_told(
    other: Detector, follower: Humans, ears: Ears, tell: Any, soon: Any
) -> None:
    ears.listen("abcde")
    assert soon(lambda: (other.show(abcde=(0.7, 0.5, 0.9, 0.9)), ears.regions["abcde"])[1])
    tell(follower, step(0))
    assert follower.nameless == 1
    assert not ears.node.get_publishers_info_by_topic(f"{FACES}/abcde/facs")


def test_the_au_node_tells_it(light: Any, ears: Ears, unhurried: str, soon: Any) -> None:
    from emopulse_ros.nodes.container import Container

    light.count = 10**9
    ears.listen(name := f"{prefix_of('/emopulse/au_node')}00001")
    with Container(parameters_file=unhurried):
        assert soon(lambda: len(ears.facs[name]) > 20)
    stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in ears.facs[name]]
    assert sorted(set(stamps)) == stamps
    assert [name] in ears.lists


def test_without_hri_msgs_the_node_says_so_and_goes_on(
    light: Any, unhurried: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emopulse_ros.nodes import au_node
    from emopulse_ros.nodes.container import Container

    monkeypatch.setattr(au_node, "installed", lambda: False)
    light.count = 50
    with Container(parameters_file=unhurried) as container:
        assert container.wait(30.0)
    assert container.counters.activations == 50


@pytest.mark.usefixtures("light")
def test_another_word_is_refused(tmp_path: Any) -> None:
    from emopulse_ros.nodes.container import Container

    path = tmp_path / "humans.yaml"
    path.write_text("/**/au_node: {ros__parameters: {humans: yes please}}\n")
    with pytest.raises(ValueError, match="humans is 'yes please': it is own, follow or off"):
        Container(parameters_file=path).start()


def test_boxes() -> None:
    assert overlap((0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 0.5)) == 1.0
    assert overlap((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5)) == 0.0
    assert overlap((0.0, 0.0, 0.4, 0.4), (0.2, 0.0, 0.6, 0.4)) == pytest.approx(1 / 3)
    assert nearest((0.0, 0.0, 0.4, 0.4), {}) is None
    assert nearest((0.0, 0.0, 0.4, 0.4), {"far": (0.3, 0.3, 0.9, 0.9)}) is None
    beyond = box_of(step(0, at=(600.0, -40.0)))
    np.testing.assert_allclose(beyond, (600 / 640, 0.0, 1.0, 88 / 480), atol=1e-9)
