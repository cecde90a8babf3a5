"""VQGAN's autoencoder: the reference's parts, its number of parameters, and the interface that training uses."""

from itertools import pairwise

import pytest
import torch
from plain_vqgan import PlainDistance, PlainVQGAN
from torch import nn
from torch.nn import functional

from vqlab.models import CONFIGURATIONS, VQGAN, PatchDiscriminator, PerceptualDistance
from vqlab.models.vqgan import _Attention, _Down, _Residual, _Up

X = torch.rand(1, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def parameters_by_formula(width, multipliers, blocks, attention, side, latent_dim):
    """What the reference's encoder, decoder and 1×1 convolutions have, counted layer by layer from its description."""

    def conv(into, out, size=3):
        return into * out * size**2 + out

    def residual(into, out):
        return 2 * into + conv(into, out) + 2 * out + conv(out, out) + (conv(into, out, 1) if into != out else 0)

    def attends(channels):
        return 2 * channels + 4 * conv(channels, channels, 1)

    def level(into, out, size, count):
        total = sum(residual(a, b) for a, b in pairwise([into, *[out] * count]))
        return total + (count * attends(out) if size in attention else 0)

    channels = [width * m for m in multipliers]
    sizes = [side // 2**i for i in range(len(channels))]
    middle = 2 * residual(channels[-1], channels[-1]) + attends(channels[-1])
    encoder = conv(3, width) + middle + 2 * channels[-1] + conv(channels[-1], latent_dim)
    encoder += sum(level(a, b, s, blocks) for a, b, s in zip([width, *channels], channels, sizes, strict=False))
    encoder += sum(conv(c, c) for c in channels[:-1])
    decoder = conv(latent_dim, channels[-1]) + middle + 2 * channels[0] + conv(channels[0], 3)
    down = [channels[-1], *channels[::-1]]
    decoder += sum(level(a, b, s, blocks + 1) for a, b, s in zip(down, down[1:], sizes[::-1], strict=False))
    decoder += sum(conv(c, c) for c in channels[1:])
    return encoder + decoder + 2 * conv(latent_dim, latent_dim, 1)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_has_as_many_parameters_as_the_reference_s_formula_gives(name):
    with torch.device("meta"):
        model = VQGAN.of(name)
    assert sum(p.numel() for p in model.parameters()) == parameters_by_formula(**CONFIGURATIONS[name])


def test_the_paper_s_size_is_that_of_the_reference_and_takes_a_codebook_of_65536():
    from vqlab.quantizers import VectorQuantizer

    with torch.device("meta"):
        model = VQGAN.of("paper")
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    assert 65 < millions < 80
    assert model.downsampling == 16
    assert model.grid == (8, 8)
    quantizer = VectorQuantizer(2**16, model.latent_dim, update="gradient")
    assert quantizer.codebook.shape == (1, 65_536, 256)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_configuration_trains_a_step_at_reduced_width(name):
    side = CONFIGURATIONS[name]["side"]
    model = VQGAN.of(name, width=8, latent_dim=8)
    x = torch.rand(1, 2, 3, side, side)
    z = model.encode(x)
    assert z.shape == (1, 2 * (side // model.downsampling) ** 2, 8)
    y = model.decode(z)
    assert y.shape == x.shape
    before = model.last_layer.clone()
    functional.l1_loss(y, x).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    torch.optim.Adam(model.parameters(), 1e-3, betas=(0.5, 0.9)).step()
    assert not torch.equal(model.last_layer, before)


def test_a_residual_block_is_two_normalised_convolutions_around_a_shortcut():
    block, x = _Residual(8, 12, groups=2), torch.randn(2, 8, 5, 5)
    h = functional.conv2d(swish(normalised(x, 2)), block.conv1.weight, block.conv1.bias, padding=1)
    h = functional.conv2d(swish(normalised(h, 2)), block.conv2.weight, block.conv2.bias, padding=1)
    shortcut = torch.einsum("oi,bihw->bohw", block.shortcut.weight[..., 0, 0], x) + block.shortcut.bias[:, None, None]
    torch.testing.assert_close(block(x), shortcut + h, atol=1e-5, rtol=1e-4)


def normalised(x, groups):
    grouped = x.reshape(len(x), groups, -1)
    centred = grouped - grouped.mean(2, keepdim=True)
    return (centred / (grouped.var(2, unbiased=False, keepdim=True) + 1e-6).sqrt()).reshape(x.shape)


def swish(x):
    return x / (1 + torch.exp(-x))


def test_attention_mixes_positions_by_their_scaled_products():
    layer, x = _Attention(8, groups=2), torch.randn(2, 8, 3, 4)
    h = normalised(x, 2)
    q, k, v = (torch.einsum("oi,bihw->bohw", part.weight[..., 0, 0], h) + part.bias[:, None, None] for part in
               (layer.q, layer.k, layer.v))  # fmt: skip
    scores = torch.einsum("bchw,bcij->bhwij", q, k) / 8**0.5
    shares = torch.softmax(scores.flatten(3), 3).reshape(scores.shape)
    mixed = torch.einsum("bhwij,bcij->bchw", shares, v)
    out = torch.einsum("oi,bihw->bohw", layer.out.weight[..., 0, 0], mixed) + layer.out.bias[:, None, None]
    torch.testing.assert_close(layer(x), x + out, atol=1e-5, rtol=1e-4)


def test_going_down_pads_right_and_below_only():
    layer = _Down(1)
    layer.conv.weight.data.zero_()[..., 0, 0] = 1.0  # picks the upper left of each window
    layer.conv.bias.data.zero_()
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert torch.equal(layer(x), x[..., ::2, ::2])


def test_going_up_repeats_every_position():
    layer = _Up(1)
    layer.conv.weight.data.zero_()[..., 1, 1] = 1.0
    layer.conv.bias.data.zero_()
    assert torch.equal(layer(torch.tensor([[[[1.0, 2.0]]]]))[0, 0], torch.tensor([[1.0, 1, 2, 2], [1.0, 1, 2, 2]]))


def test_a_seed_decides_the_start_and_leaves_torch_s_own_numbers_alone():
    torch.manual_seed(3)
    untouched = torch.rand(2)
    torch.manual_seed(3)
    first, again, other = (VQGAN.of("tiny", seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(2), untouched)
    pairs = zip(first.parameters(), again.parameters(), other.parameters(), strict=True)
    kinds = [(torch.equal(a, b), torch.equal(a, c)) for a, b, c in pairs]
    assert all(same for same, _ in kinds)
    assert not all(same for _, same in kinds)


def test_images_of_other_sizes_keep_their_shape():
    model = VQGAN.of("tiny", width=8)
    x = torch.rand(1, 2, 3, 16, 48)
    assert model.decode(model.encode(x)).shape == x.shape
    assert model.grid == (2, 6)


def test_what_does_not_fit_is_refused_in_words(refuses):
    model = VQGAN.of("tiny", width=8)
    with refuses("divisible by 8"):
        model.encode(torch.rand(1, 1, 3, 30, 32))
    with refuses("one seed at a time"):
        model.encode(torch.rand(2, 1, 3, 32, 32))
    with refuses("unknown configuration"):
        VQGAN.of("huge")
    with refuses("width divisible by 4"):
        VQGAN(width=6)
    with refuses("multiple of 32"):
        VQGAN(width=132)
    with refuses("divisible by 8"):
        VQGAN(side=36)


def test_the_discriminator_judges_patches_with_the_reference_s_layers():
    judge = PatchDiscriminator(seed=0)
    scores = judge(torch.rand(2, 3, 128, 128))
    assert scores.shape == (2, 1, 14, 14)
    convs = [layer for layer in judge.body if isinstance(layer, nn.Conv2d)]
    assert [c.out_channels for c in convs] == [64, 128, 256, 512, 1]
    assert [c.stride[0] for c in convs] == [2, 2, 2, 1, 1]
    assert convs[1].weight.std().item() == pytest.approx(0.02, rel=0.05)
    # One score sees 70 pixels, no more: what lies farther away does not change it.
    judge.eval()
    x = torch.rand(1, 3, 128, 128, requires_grad=True)
    judge(x)[0, 0, 7, 7].backward()
    rows = x.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == 70


def test_the_discriminator_for_small_images_has_fewer_layers():
    assert PatchDiscriminator(layers=2)(X[0]).shape == (3, 1, 6, 6)


@pytest.mark.parametrize(
    ("configuration", "changes"), [("tiny", {}), ("tiny", {"width": 8}), ("paper", {"width": 4, "latent_dim": 8})]
)
def test_the_network_is_what_torch_s_modules_put_together_plainly_are(configuration, changes):
    ours, plain = VQGAN.of(configuration, **changes), PlainVQGAN(configuration, **changes)
    x = torch.rand(2, 3, CONFIGURATIONS[configuration]["side"], CONFIGURATIONS[configuration]["side"])
    z = plain.encode(x)
    torch.testing.assert_close(ours.encode(x[None])[0], z.permute(0, 2, 3, 1).flatten(0, 2), rtol=1e-3, atol=1e-4)
    ours_back, plain_back = ours.decode(z.permute(0, 2, 3, 1).flatten(0, 2)[None])[0], plain.decode(z)
    torch.testing.assert_close(ours_back, plain_back, rtol=1e-3, atol=1e-4)
    for back in (ours.decode(ours.encode(x[None])), plain.decode(plain.encode(x))):
        back.square().mean().backward()
    theirs = dict(plain.named_parameters())
    for name, mine in ours.named_parameters():
        torch.testing.assert_close(mine.grad, theirs[name].grad, rtol=1e-2, atol=1e-4)


def test_the_perceptual_distance_is_what_torch_s_modules_put_together_plainly_give():
    x, y = 2 * torch.rand(2, 3, 3, 32, 32) - 1
    torch.testing.assert_close(PerceptualDistance()(x, y), PlainDistance()(x, y), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_what_lies_behind_a_frozen_first_layer_can_be_trained(part):
    model = VQGAN.of("tiny", width=8)
    before = [model.encoder, model.before, model.after, model.decoder[0]] if part == "decoder" else [model.encoder[0]]
    for layer in before:
        layer.requires_grad_(False)
    model.decode(model.encode(X)).square().mean().backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in trained)
