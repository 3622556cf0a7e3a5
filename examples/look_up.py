"""A robot that looks up when somebody raises both brows: `python3 examples/look_up.py`."""

import rclpy
from rclpy.node import Node
from std_msgs.msg import Float64

from emopulse_msgs.msg import AUActivation

BROWS = (1, 2)  # FACS: inner and outer brow raiser
SURE = 0.5  # probability from which a brow counts as raised
HELD = 0.050  # seconds the brows must be up, and a face may be away
UP = 0.3  # radians the head is tilted back


class LookUp(Node):
    """Hears /emopulse/au_activation; says on head/tilt, once per raise, how far to look up."""

    def __init__(self, **options) -> None:
        super().__init__("look_up", **options)
        self.faces = {}  # by face_id: when it was seen last, and when its brows were down last
        self.head = self.create_publisher(Float64, "head/tilt", 10)
        self.create_subscription(AUActivation, "/emopulse/au_activation", self.see, 200)

    def see(self, activation: AUActivation) -> None:
        now = activation.header.stamp.sec + activation.header.stamp.nanosec * 1e-9
        seen = dict(zip(activation.codes, activation.probability, strict=True))
        # No face, no activation: whoever was away begins anew.
        self.faces = {face: it for face, it in self.faces.items() if now - it[0] <= HELD}
        _, down = self.faces.get(activation.face_id, (now, now))
        if min(seen[code] for code in BROWS) < SURE:
            down = now
        elif now - down > HELD:
            self.head.publish(Float64(data=UP))
            down = float("inf")  # said: not again before the brows were down
        self.faces[activation.face_id] = now, down


if __name__ == "__main__":
    rclpy.init()
    rclpy.spin(LookUp())
