"""EmoPulse: facial action units, every 5 ms, from a 200 FPS camera."""

__version__ = "0.1.0"
