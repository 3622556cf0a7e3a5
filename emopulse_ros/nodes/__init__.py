"""The ROS nodes: each owns a stage, its topics and its parameters, and no algorithm."""
