"""Zero-copy topics inside a process, mirrored to ROS while somebody outside listens.

They mean what rclcpp's intra-process communication means, for Python::

    publisher = Publisher(node, adaptation, "camera/image_raw", qos)
    subscription = Subscription(other, adaptation, "camera/image_raw", callback, qos)
"""

from emopulse_ros.transport.adaptation import Adaptation, plain
from emopulse_ros.transport.filters import Stamped
from emopulse_ros.transport.publisher import Publisher
from emopulse_ros.transport.subscription import Subscription

__all__ = ["Adaptation", "Publisher", "Stamped", "Subscription", "plain"]
