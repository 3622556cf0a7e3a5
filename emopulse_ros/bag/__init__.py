"""Rosbags, read and written without ROS."""
