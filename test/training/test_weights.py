"""Going on from a model file."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[train]'")
pytest.importorskip("onnx", reason="onnx is not installed: pip install '.[train]'")

from emopulse_ros.detection.model import Card, shipped_model  # noqa: E402
from emopulse_ros.training.export import export  # noqa: E402
from emopulse_ros.training.network import TinyI3D  # noqa: E402
from emopulse_ros.training.weights import load_weights  # noqa: E402

CLIP_FORM = shipped_model("clip")


def flows(count: int) -> list[torch.Tensor]:
    torch.manual_seed(7)
    return [0.05 * torch.randn(2, 9, 40, 64, 64) for _ in range(count)]


def test_the_shipped_model_taken_apart_says_what_it_said(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    network = TinyI3D()
    load_weights([CLIP_FORM], network, lambda: flows(2))
    flow = flows(3)[-1]
    with torch.no_grad():
        mine = network.eval()(flow)
    session = onnxruntime.InferenceSession(str(CLIP_FORM), providers=["CPUExecutionProvider"])
    logits, intensity, attention = session.run(None, {"flow": flow.numpy()})
    assert torch.allclose(mine.logits, torch.from_numpy(logits), atol=2e-3)
    assert torch.allclose(mine.intensity, torch.from_numpy(intensity), atol=1e-4)
    assert torch.allclose(mine.attention, torch.from_numpy(attention), atol=1e-4)
    # And once more through the file, as another user would.
    _, again = export(network, Card("again", "step"), tmp_path)
    other = TinyI3D()
    load_weights([again], other, lambda: flows(2))
    with torch.no_grad():
        assert torch.allclose(other.eval()(flow).logits, mine.logits, atol=2e-3)


def test_while_training_its_norms_mean_what_they_mean_while_running() -> None:
    network = TinyI3D(dropout=0.0)
    samples = flows(2)
    load_weights([CLIP_FORM], network, lambda: samples)
    flow = torch.cat(samples)
    with torch.no_grad():
        running = network.eval()(flow).logits
        training = network.train()(flow).logits
    off = (training - running).abs().mean()
    assert off < 0.02 * running.abs().mean()


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_files_that_are_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="holds no weights of this network"):
        load_weights([path], TinyI3D(), list)


def test_a_model_of_another_shape() -> None:
    # The step form holds its kernels filled up to whole blocks.
    with pytest.raises(ValueError, match="clip form of such a model"):
        load_weights([shipped_model("step")], TinyI3D(), list)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_weights([tmp_path / "gone.onnx"], TinyI3D(), list)


def test_weights_from_before_a_face_had_a_baseline(tmp_path: Path) -> None:
    torch.manual_seed(3)
    before = TinyI3D(baseline=False).eval()
    weights = {name: value for name, value in before.state_dict().items() if name != "usual"}
    torch.save({"network": weights}, tmp_path / "before.pt")
    samples = flows(2)
    network = TinyI3D()
    load_weights([tmp_path / "before.pt"], network, lambda: samples)
    assert network.usual.abs().max() > 0.0
    flow = flows(3)[-1]
    with torch.no_grad():
        said, says = before(flow), network.eval()(flow)
        # Of a face it knows nothing about, as on the first frame, it says what it said.
        assert torch.allclose(says.logits[..., 0], said.logits[..., 0], atol=1e-5)
        assert torch.allclose(says.intensity[..., 0], said.intensity[..., 0], atol=1e-5)
        network.has_baseline = False
        assert torch.allclose(network(flow).logits, said.logits, atol=1e-5)


def test_of_several_the_mean(tmp_path: Path) -> None:
    paths = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        paths.append(tmp_path / f"{seed}.pt")
        torch.save({"network": TinyI3D().state_dict()}, paths[-1])
    one, other = (torch.load(path, weights_only=True)["network"] for path in paths)
    network = TinyI3D()
    load_weights(paths, network, list)
    for name, value in network.state_dict().items():
        assert value.dtype == one[name].dtype
        assert torch.allclose(value.double(), (one[name].double() + other[name]) / 2, atol=1e-6)
