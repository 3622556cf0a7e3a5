"""The network: two forms, one law; dropout; size."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[train]'")

from emopulse_ros.training.blocks import Branches  # noqa: E402
from emopulse_ros.training.network import Shape, TinyI3D  # noqa: E402


def network(dropout: float = 0.5, shape: Shape | None = None) -> TinyI3D:
    """A network with random weights and norms, as after training."""
    torch.manual_seed(0)
    net = TinyI3D(shape, dropout)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 2.0)
    return net.eval()


WIDE = Shape(blocks=(Branches(4, 6, 8, 4, dilation=3), Branches(8, 5, 8, 4)), window=5)


@pytest.mark.parametrize("shape", [Shape(), WIDE], ids=["default", "other"])
def test_stream_and_clip_agree(shape: Shape) -> None:
    net = network(shape=shape)
    flow = torch.randn(2, 9, 40, 64, 64) * 0.3
    with torch.no_grad():
        clip = net(flow)
        states = net.first_states(2)
        for time in range(flow.shape[2]):
            step, states = net.step(flow[:, :, time], states)
            assert (step.logits - clip.logits[..., time]).abs().max() < 1e-5
            assert (step.intensity - clip.intensity[..., time]).abs().max() < 1e-5
            assert (step.attention - clip.attention[:, time]).abs().max() < 1e-5
            assert (step.features - clip.features[..., time]).abs().max() < 1e-5


@pytest.mark.parametrize("shape", [Shape(), WIDE], ids=["default", "other"])
def test_an_answer_depends_on_the_frames_it_says_and_no_others(shape: Shape) -> None:
    net = network(shape=shape).double()
    flow = torch.randn(1, 9, 40, 64, 64, dtype=torch.float64)
    last = 30
    reach = shape.frames
    with torch.no_grad():
        whole = net(flow).logits[..., last]
        for change, matters in ((last + 1, False), (last - reach, False), (last - reach + 1, True)):
            other = flow.clone()
            other[:, :, change] += 3.0
            moved = (net(other).logits[..., last] - whole).abs().max().item()
            assert (moved > 1e-10) == matters


def test_a_clip_of_sixteen_frames() -> None:
    net = network()
    assert net.shape.frames == 16
    reading = net(torch.randn(3, 9, 16, 64, 64))
    assert reading.logits.shape == (3, 15, 16)
    assert reading.attention.shape == (3, 16)


def test_it_is_small() -> None:
    assert sum(weight.numel() for weight in network().parameters()) <= 500_000


def test_attention_is_a_share_of_the_window() -> None:
    attention = network()(torch.randn(2, 9, 40, 64, 64)).attention
    assert (attention > 0.0).all()
    assert (attention < 8.0).all()


@pytest.mark.parametrize("dropout", [0.5, 0.99])
def test_spatial_dropout_hides_the_same_places_in_every_frame(dropout: float) -> None:
    net = network(dropout).train()
    places = torch.rand(4, 1, 3, 16, 16).expand(4, 6, 3, 16, 16)
    seen = net._visible(places)
    # The same picture in every frame: where the mask changed with time, so would its mean.
    assert torch.allclose(seen, seen[:, :1].expand_as(seen))
    repeated = net._visible(places)
    assert not torch.allclose(seen, repeated)


def test_what_is_hidden_is_not_made_up_for() -> None:
    net = network(0.99).train()
    assert torch.allclose(net._visible(torch.full((8, 2, 3, 16, 16), 0.7)), torch.tensor(0.7))


def test_at_rest_nothing_is_hidden() -> None:
    places = torch.rand(2, 6, 3, 16, 16)
    assert torch.allclose(network(0.99)._visible(places), places.mean(dim=(3, 4)))


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_a_dropout_that_hides_all_is_refused(dropout: float) -> None:
    with pytest.raises(ValueError, match="spatial dropout"):
        TinyI3D(dropout=dropout)


def test_no_mask_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one mask, not 0"):
        TinyI3D(masks=0)
