"""A robot that looks up when somebody raises both brows: `python3 examples/look_up.py`."""

import rclpy
from rclpy.node import Node
from std_msgs.msg import Float64

from emopulse_msgs.msg import AUActivation

BROWS = (1, 2)  # FACS: inner and outer brow raiser
SURE = 0.5  # probability from which a brow counts as raised
HELD = 0.050  # seconds the brows must be up
UP = 0.3  # radians the head is tilted back


class LookUp(Node):
    """Hears /emopulse/au_activation; says on head/tilt, once per raise, how far to look up."""

    def __init__(self, **options) -> None:
        super().__init__("look_up", **options)
        self.last = self.raised_since = None  # capture times in seconds
        self.head = self.create_publisher(Float64, "head/tilt", 10)
        self.create_subscription(AUActivation, "/emopulse/au_activation", self.see, 200)

    def see(self, activation: AUActivation) -> None:
        now = activation.header.stamp.sec + activation.header.stamp.nanosec * 1e-9
        seen = dict(zip(activation.codes, activation.probability, strict=True))
        was_away = self.last is not None and now - self.last > HELD  # no face, no activation
        self.last = now
        if was_away or min(seen[code] for code in BROWS) < SURE:
            self.raised_since = None
        elif self.raised_since is None:
            self.raised_since = now
        elif now - self.raised_since >= HELD:
            self.head.publish(Float64(data=UP))
            self.raised_since = float("inf")  # said: not again before the brows were down


if __name__ == "__main__":
    rclpy.init()
    rclpy.spin(LookUp())
