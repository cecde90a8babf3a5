"""What a training minimises besides the quantizer's loss: the error of its reconstructions, and an adversary's part."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqlab import LabError
from vqlab.models.discriminator import PatchDiscriminator
from vqlab.quantizers import ranks
from vqlab.training.launcher import Alone, Launcher

if TYPE_CHECKING:
    from vqlab.training.settings import Settings

Perceptual = Callable[[Tensor, Tensor], Tensor]
POINTWISE = {"mse": functional.mse_loss, "l1": functional.l1_loss}
LOSSES = (*POINTWISE, "l1+perceptual")
_MOST_WEIGHT = 1e4


class Error(nn.Module):
    """The error of reconstructions (R, B, …) of samples (R, B, …): -> (R,).

    loss: "mse" or "l1", means over everything; or "l1+perceptual", of images (R, B, 3, H, W) in [0, 1]: the mean
    absolute error of pixels taken to [−1, 1] plus weight · distance, as in VQGAN.   distance: from two batches
    (R·B, 3, H, W) in [−1, 1] to a distance an image; see `models.PerceptualDistance`, which it is by default.
    """

    def __init__(self, loss: str, weight: float = 1.0, distance: Perceptual | None = None) -> None:
        super().__init__()
        self.loss, self.weight = loss, weight
        if loss not in POINTWISE and distance is None:
            from vqlab.models.classifier import PerceptualDistance

            distance = PerceptualDistance()
        self.distance = distance

    def forward(self, reconstruction: Tensor, x: Tensor) -> Tensor:
        if self.loss in POINTWISE:
            return _per_run(POINTWISE[self.loss](reconstruction, x, reduction="none"))
        absolute = _per_run(functional.l1_loss(reconstruction, x, reduction="none"))
        first, second = (2 * images.flatten(0, 1) - 1 for images in (x, reconstruction))  # (R, B, …) -> (R·B, …)
        return 2 * absolute + self.weight * self.distance(first, second).reshape(len(x), -1).mean(1)


def _per_run(error: Tensor) -> Tensor:
    return error.mean(tuple(range(1, error.ndim)))


class Adversary:
    """A discriminator trained beside an autoencoder, which is rewarded for what it takes for real (one run).

    Hinge loss. What it adds to the error is scaled so that both pull equally hard at the last layer, times `weight`
    (Esser et al. 2021, arXiv 2012.09841, eq. 7). In several processes each normalises by its own share of the batch.
    """

    def __init__(
        self,
        discriminator: PatchDiscriminator,
        learning_rate: float,
        weight: float = 0.8,
        launcher: Launcher | None = None,
    ) -> None:
        self.discriminator, self.weight, self.launcher = discriminator, weight, launcher or Alone()
        self._judge = self.launcher.setup_module(discriminator)
        self.optimizer = torch.optim.Adam(discriminator.parameters(), learning_rate, betas=(0.5, 0.9))

    @classmethod
    def beside(
        cls, model: nn.Module, data: Tensor, settings: "Settings", seeds: Sequence[int], launcher: Launcher
    ) -> "Adversary | None":
        """One for a model and the images (n, 3, H, W) it is trained on; None if the settings want none.

        Raises: LabError for more than one run, or a model without a `last_layer`.
        """
        if settings.discriminator_start is None:
            return None
        if len(seeds) > 1 or not hasattr(model, "last_layer"):
            raise LabError(
                "a discriminator needs one seed and a model with a last_layer, as models.VQGAN has: set "
                "discriminator_start to None for others"
            )
        layers = 2 if max(data.shape[-2:]) < 64 else 3
        discriminator = PatchDiscriminator(seeds[0], layers=layers)
        return cls(discriminator, settings.learning_rate, settings.discriminator_weight, launcher)

    def loss(self, reconstruction: Tensor, error: Tensor, last_layer: Tensor) -> Tensor:
        """What is added to the error (1,) of reconstructions (1, B, 3, H, W), which came through last_layer."""
        self.discriminator.requires_grad_(False)  # the gradient passes through it and leaves nothing in it
        with self.launcher.autocast():
            doubt = -self.discriminator(2 * reconstruction[0] - 1).float().mean()
        pulls = [torch.autograd.grad(part, last_layer, retain_graph=True)[0] for part in (error.sum(), doubt)]
        pulls = [ranks.mean(pull).norm() for pull in pulls]
        return self.weight * (pulls[0] / (pulls[1] + 1e-4)).clamp(0, _MOST_WEIGHT).detach() * doubt[None]

    def learn(self, x: Tensor, reconstruction: Tensor) -> Tensor:
        """One step of the discriminator on images and reconstructions (1, B, 3, H, W); returns its loss."""
        self.discriminator.requires_grad_(True)
        real, made = (self._judge(2 * images[0].detach() - 1) for images in (x, reconstruction))
        loss = (functional.relu(1 - real).mean() + functional.relu(1 + made).mean()) / 2
        self.optimizer.zero_grad(set_to_none=True)
        self.launcher.backward(loss)
        self.optimizer.step()
        return loss.detach()

    def state_dict(self) -> dict:
        """What `load_state_dict` needs to go on exactly where we are."""
        return {"discriminator": self.discriminator.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
