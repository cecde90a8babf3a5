"""How well a trained autoencoder does on images held out: as numbers, and as the line that `train` prints."""

import torch
from torch import Tensor

from vqlab import measures
from vqlab.training.trainer import Trainer


def evaluate(trainer: Trainer, held_out: Tensor) -> dict[str, float]:
    """Errors and dimensions on pixels (n, 3, H, W), bytes; once quantized also those of the codebook and its use.

    mse, psnr (dB) and l1 are of pixels in [0, 1]; perceptual is there if the training minimises it.
    """
    latents = trainer.latents(held_out)
    reconstruction, tokens = (
        None if one is None else one.cpu() for one in trainer.reconstruct_latents(latents, len(held_out))
    )
    pixels = held_out.numpy() / 255
    error = measures.mean_squared_error(pixels, reconstruction).item()
    found = {
        "mse": error,
        "psnr": measures.psnr(error).item(),
        "l1": abs(reconstruction[0].numpy() - pixels).mean().item(),
    }
    found["latent_dimension"] = measures.effective_dimension(latents).item()
    if trainer.settings.loss == "l1+perceptual":
        found["perceptual"] = _perceptual(trainer, held_out, reconstruction[0])
    if tokens is None:
        return found
    codebook, counts = trainer.quantizer.codebook, measures.code_usage(tokens, trainer.settings.codebook_size)
    return found | {
        "perplexity": measures.perplexity(counts).item(),
        "active_codes": measures.active_codes(counts).item(),
        "tokens": tokens.numel(),
        "codebook_dimension": measures.effective_dimension(codebook).item(),
        "used_dimension": measures.used_dimension(codebook, counts).item(),
    }


def _perceptual(trainer: Trainer, held_out: Tensor, reconstruction: Tensor) -> float:
    parts = zip(held_out.split(32), reconstruction.split(32), strict=True)
    with torch.no_grad():
        distances = [
            trainer.error.distance(*(2 * image.to(trainer.device) - 1 for image in (x / 255, y))).flatten()
            for x, y in parts
        ]
    return torch.cat(distances).mean().item()


def summary(trainer: Trainer, held_out: Tensor) -> str:
    """The same in a line."""
    found = evaluate(trainer, held_out)
    parts = [f"reconstruction error {found['mse']:.5f} (PSNR {found['psnr']:.1f} dB)"]
    if "perceptual" in found:
        parts += [f"L1 {found['l1']:.4f}", f"perceptual distance {found['perceptual']:.4f}"]
    dimension = f"effective dimension {found['latent_dimension']} (encoder output)"
    if "tokens" not in found:
        return " · ".join([*parts, f"{dimension}; not quantized"])
    return " · ".join(
        [
            *parts,
            f"perplexity {found['perplexity']:.0f} of {trainer.settings.codebook_size:,} at {found['tokens']:,} tokens",
            f"active codes {found['active_codes']:,}",
            f"{dimension} / {found['codebook_dimension']} (codebook) / {found['used_dimension']} (codes in use)",
        ]
    )
