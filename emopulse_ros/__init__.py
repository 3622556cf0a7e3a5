"""EmoPulse: facial action units, every 5 ms, from a 200 FPS camera."""

import os

# What is multiplied per frame is small: a second BLAS thread spins between frames for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
