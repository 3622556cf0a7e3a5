"""Package `emopulse_ros`, for pip and for colcon."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
NAME = "emopulse_ros"
SCENE = ("png", "npz", "md")
"""What the synthetic camera's portrait is made of, and whence it comes."""

PAGE = ("html", "css", "js")
"""What a report's page is made of."""


def data(folder, pattern):
    """The files of a folder, where ROS looks for them: below `share/`."""
    files = sorted(str(file.relative_to(HERE)) for file in (HERE / folder).glob(pattern))
    return [(f"share/{NAME}/{folder}", files)] if files else []


setup(
    name=NAME,
    version="0.1.0",
    description="Facial action units and micro-expressions, every 5 ms, from a 200 FPS camera.",
    license="Apache-2.0",
    maintainer="The EmoPulse developers",
    maintainer_email="emopulse@example.org",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={
        NAME: [
            "py.typed",
            "models/*",
            *(f"synthesis/*.{end}" for end in SCENE),
            *(f"evaluation/page/*.{end}" for end in PAGE),
        ]
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *data("launch", "*.launch.*"),
        *data("config", "*.yaml"),
        *data("config", "*.json"),
        *data("config", "*.xml"),
        *data("examples", "*.py"),
        *data("examples", "*.md"),
    ],
    zip_safe=False,
    # The exact versions everything is tested with are in requirements/. What a robot brings under
    # names of its own (numpy, OpenCV, PyYAML) is named in package.xml and not asked for here.
    install_requires=["setuptools"],
    extras_require={
        "runtime": [
            "numpy",
            "opencv-python-headless<5",
            "PyYAML",
            "ai-edge-litert",
            "onnxruntime",
            "numba",
        ],
        "viewer": ["matplotlib"],
        "view": ["foxglove-sdk"],
        "evaluation": ["rosbags", "mcap", "openpyxl"],
        "test": ["hypothesis", "pytest", "websockets"],
        "training": ["onnx", "scikit-image", "scikit-learn", "scipy", "torch"],
    },
    entry_points={
        "console_scripts": [
            f"emopulse = {NAME}.cli:main",
            f"camera_node = {NAME}.nodes.camera_node:main",
            f"flow_node = {NAME}.nodes.flow_node:main",
            f"au_node = {NAME}.nodes.au_node:main",
            f"view_node = {NAME}.nodes.view_node:main",
            f"emopulse_container = {NAME}.nodes.container:main",
        ]
    },
)
