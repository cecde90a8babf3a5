"""Stacked networks equal plain ones; the convolutional pair keeps its shapes."""

import pytest
import torch
from torch import nn

from vqlab.models import ACTIVATIONS, ConvAutoencoder, MLPAutoencoder, StackedMLP

LAYERS = {
    "relu": nn.ReLU,
    "leaky relu": lambda: nn.LeakyReLU(0.1),
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "linear": nn.Identity,
}


def plain_network(stack, run, activation):
    """The nn.Sequential that run `run` of a StackedMLP stands for."""
    layers = []
    for weight, bias in zip(stack.weights, stack.biases, strict=True):
        linear = nn.Linear(weight.shape[1], weight.shape[2])
        linear.weight.data, linear.bias.data = weight[run].T.clone(), bias[run, 0].clone()
        layers += [linear, LAYERS[activation]()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_stacked_run_equals_a_plain_network_in_value_and_gradient(activation):
    stack = StackedMLP((0, 1, 2), (3, 7, 5, 2), activation)
    x = torch.randn(3, 11, 3, generator=torch.Generator().manual_seed(0))
    output = stack(x)
    output.square().sum().backward()
    for run in range(3):
        plain = plain_network(stack, run, activation)
        expected = plain(x[run])
        expected.square().sum().backward()
        assert torch.allclose(output[run], expected, atol=1e-6)
        linears = [layer for layer in plain if isinstance(layer, nn.Linear)]
        for linear, weight, bias in zip(linears, stack.weights, stack.biases, strict=True):
            assert torch.allclose(weight.grad[run], linear.weight.grad.T, atol=1e-5)
            assert torch.allclose(bias.grad[run, 0], linear.bias.grad, atol=1e-5)


def test_a_run_of_a_stack_is_the_network_of_its_seed_alone():
    stack = MLPAutoencoder((4, 7, 2), data_dim=5, latent_dim=3, hidden=8)
    for run, seed in enumerate((4, 7, 2)):
        alone = MLPAutoencoder((seed,), data_dim=5, latent_dim=3, hidden=8)
        for ours, theirs in zip(stack.parameters(), alone.parameters(), strict=True):
            assert torch.equal(ours[run], theirs[0])


def test_seeds_encoder_and_decoder_all_start_differently():
    model = MLPAutoencoder((0, 1), hidden=4)
    assert not torch.equal(model.encoder.weights[0][0], model.encoder.weights[0][1])
    assert not torch.equal(model.encoder.weights[1], model.decoder.weights[1])


def test_weights_start_uniform_within_one_over_the_square_root_of_fan_in():
    stack = StackedMLP((0,), (100, 400))
    for parameter in (*stack.weights, *stack.biases):
        assert parameter.abs().max() <= 0.1
        assert parameter.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.1)
        assert parameter.mean().abs() < 0.01


def test_the_mlp_pair_maps_data_to_latents_and_back():
    model = MLPAutoencoder((0, 1), data_dim=6, latent_dim=3, hidden=16, activation="tanh")
    z = model.encode(torch.randn(2, 9, 6))
    assert z.shape == (2, 9, model.latent_dim) == (2, 9, 3)
    assert model.decode(z).shape == (2, 9, 6)


def test_an_unknown_activation_and_an_empty_layer_are_refused(refuses):
    with refuses("unknown activation 'swish': choose from relu, leaky relu, gelu, tanh, linear"):
        StackedMLP((0,), (2, 2), "swish")
    with refuses("at least one unit"):
        MLPAutoencoder((0,), hidden=0)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 48), (48, 64)])
def test_the_convolutional_pair_turns_images_into_latents_and_back(height, width):
    model = ConvAutoencoder(0, latent_dim=5, hidden=8)
    x = torch.rand(1, 3, 3, height, width, generator=torch.Generator().manual_seed(0))
    z = model.encode(x)
    assert z.shape == (1, 3 * height // 4 * width // 4, 5)
    assert model.decode(z).shape == x.shape


def test_convolutional_latents_are_ordered_by_image_row_and_column_and_decoded_in_that_order():
    model = ConvAutoencoder(0, latent_dim=5, hidden=8)
    x = torch.rand(1, 2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    features = model.encoder(x[0] - 0.5)  # (2, 5, 16, 12)
    z = model.encode(x).reshape(2, 16, 12, 5)
    assert torch.equal(z[1, 3, 7], features[1, :, 3, 7])
    assert torch.allclose(model.decode(model.encode(x))[0], model.decoder(features) + 0.5, atol=1e-6)


def test_the_convolutional_seed_decides_the_weights_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    first, again, other = ConvAutoencoder(1, 4, 8), ConvAutoencoder(1, 4, 8), ConvAutoencoder(2, 4, 8)
    assert torch.equal(torch.get_rng_state(), state)
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not any(torch.equal(a, c) for a, _, c in pairs)


@pytest.mark.parametrize("shape", [(1, 2, 3, 30, 32), (1, 2, 3, 32, 30), (2, 2, 3, 32, 32)])
def test_the_convolutional_encoder_refuses_odd_sizes_and_several_runs(shape, refuses):
    with refuses("divisible by 4"):
        ConvAutoencoder(0, 4, 8).encode(torch.zeros(shape))


@pytest.mark.parametrize("sizes", [{"latent_dim": 0}, {"hidden": 1}])
def test_an_image_model_without_room_is_refused(sizes, refuses):
    with refuses("at least 2 hidden channels"):
        ConvAutoencoder(0, **sizes)
