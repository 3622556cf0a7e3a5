"""The network: two forms, one law; dropout; size."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[train]'")

from emopulse_ros.training.blocks import Branches  # noqa: E402
from emopulse_ros.training.network import KNOWN_AFTER, MEMORY, Shape, TinyI3D  # noqa: E402


def network(dropout: float = 0.5, shape: Shape | None = None, *, baseline: bool = True) -> TinyI3D:
    """A network with random weights and norms, as after training."""
    torch.manual_seed(0)
    net = TinyI3D(shape, dropout, baseline=baseline)
    net.usual.normal_(0.0, 0.1)
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
    net = network(shape=shape, baseline=False).double()
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


def test_before_that_only_rest_matters() -> None:
    net = network().double()
    flow = torch.randn(1, 9, 40, 64, 64, dtype=torch.float64)
    other = flow.clone()
    other[:, :, 4] += 3.0
    with torch.no_grad():
        net.units.bias.fill_(-3.0)
        assert (net(other).logits[..., 30] - net(flow).logits[..., 30]).abs().max() > 1e-6
        # A face that shows something all along is never taken for one at rest.
        net.units.bias.fill_(1000.0)
        assert torch.equal(net(other).logits[..., 30], net(flow).logits[..., 30])


def test_what_tells_a_face_at_rest_from_others_is_taken_away() -> None:
    net = network()
    once = torch.linspace(-1.0, 1.0, 30)
    own = net._own((net.usual + once).expand(1, 400, 30), torch.ones(1, 400))
    weights = MEMORY * (1.0 - torch.exp(-torch.arange(400.0)[:, None] / MEMORY))
    left = once * KNOWN_AFTER / (weights + KNOWN_AFTER)
    assert torch.allclose(own[0], net.usual + left, atol=2e-3)


def test_an_expression_that_is_held_is_not_taken_away() -> None:
    net = network()
    raw = torch.cat([torch.zeros(1, 100, 30), torch.ones(1, 2000, 30)], dim=1) + net.usual
    rest = torch.cat([torch.ones(1, 100), torch.zeros(1, 2000)], dim=1)
    assert torch.allclose(net._own(raw, rest)[:, 100:], 1.0 + net.usual, atol=1e-5)


def test_what_is_known_of_a_face_has_bounds() -> None:
    net = network()
    net.units.bias.data.fill_(-30.0)
    states = net.first_states(1)
    with torch.no_grad():
        states[-1] = torch.full((1, 31), 2.0 * MEMORY)
        _, states = net.step(torch.zeros(1, 9, 64, 64), states)
    assert states[-1][0, -1] < 2.0 * MEMORY


def test_what_is_usual_is_learnt_while_training_from_what_rests() -> None:
    net = network()
    net.train()
    once = torch.linspace(-1.0, 1.0, 30)
    raw = once.expand(2, 8, 30).clone()
    rest = torch.ones(2, 8)
    raw[:, 4:], rest[:, 4:] = 50.0, 0.0
    for _ in range(200):
        net._note(raw, rest)
    assert torch.allclose(net.usual, once, atol=1e-3)
    net._note(raw, 0.0 * rest)
    assert torch.allclose(net.usual, once, atol=1e-3)
    torch.nn.init.constant_(net.units.bias, -6.0)
    before = net.usual.clone()
    net(torch.randn(2, 9, 24, 64, 64) * 0.3)
    assert not torch.equal(net.usual, before)
    net.eval()
    before = net.usual.clone()
    net(torch.randn(2, 9, 24, 64, 64) * 0.3)
    assert torch.equal(net.usual, before)


def test_without_it_no_face_has_a_baseline() -> None:
    net = network(baseline=False)
    net.units.bias.data.fill_(-10.0)
    flow = torch.randn(1, 9, 24, 64, 64)
    with torch.no_grad():
        states = net.first_states(1)
        for time in range(24):
            _, states = net.step(flow[:, :, time], states)
    assert not states[-1].any()


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
