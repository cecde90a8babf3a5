"""End the warm-up when water-filling says that more of it would serve no further dimension; for any training."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError, measures, theory
from vqlab.inputs import number, plain, whole
from vqlab.quantizers import ranks


class AdaptiveSwitch:
    """The adaptive rule of arXiv 2605.06870, our wording: for any training loop, and a callback for `Trainer`.

    Every `every` steps of the warm-up it water-fills the principal variances of the latents at R = log2 K bits. The
    score is the number of active modes, the mean over the runs of a stack, which all switch together. When it has not
    grown by more than `min_gain` for `patience` steps (`theory.adaptive_switch`), or at the share `latest` of all
    steps, it is time to switch. How often it looks decides only how late it may notice.

    In a loop of your own, call `observe` in every step of the warm-up, and `VectorQuantizer.start_from` when it says
    so. With `Trainer`, pass the rule to `run` and set `Settings.warmup` to `Settings.steps`, so that nothing else
    switches.

    Args: probe: how many latents the variances are measured on, at most.
    Attributes: looked: the steps at which it looked.   history: the scores there.   switched_at: the step of the
        switch, None before.
    Raises: LabError if every or probe is below 1, patience is not above 0, min_gain below 0, or latest outside (0, 1).
    Example: `Trainer(model, data, Settings(steps=1500, warmup=1500)).run(AdaptiveSwitch())`.
    """

    def __init__(
        self, every: int = 10, patience: float = 75, min_gain: float = 0.0, latest: float = 0.5, probe: int = 4096
    ) -> None:
        self.every, self.probe = whole(every, "every"), whole(probe, "probe")
        self.patience = number(patience, "patience, in steps,", above=0)
        self.min_gain = number(min_gain, "min_gain", least=0)
        self.latest = number(latest, "latest, a share of the steps,", above=0, below=1)
        self.looked: list[int] = []
        self.history: list[float] = []
        self.switched_at: int | None = None

    def observe(self, step: int, latents: ArrayLike, codebook_size: int, steps: int | None = None) -> bool:
        """Whether to switch now: True once, then never again.

        step: how many are done.   latents: those of this step or more, (N, d), or (R, N, d) for R runs; looked at in
        every `every`-th step only.   codebook_size: K.   steps: of the whole training, if it is to end its warm-up at
        the share `latest` of them whatever the score.
        Raises: LabError for latents of another shape or not finite, or numbers out of range.
        """
        step, k = whole(step, "step", 0), whole(codebook_size, "codebook_size")
        steps = None if steps is None else whole(steps, "steps")
        if not self._due(step):
            return False
        z = plain(latents, "latents (N, d)")
        if z.ndim not in (2, 3):
            raise LabError(f"latents must have shape (N, d), or (R, N, d) for R runs, got {z.shape}")
        variances = measures.principal_variances(z[..., : self.probe, :])
        self.looked.append(step)
        self.history.append(float(np.mean(theory.water_fill(variances, np.log2(k)).active)))
        late = steps is not None and step >= self.latest * steps
        if late or theory.adaptive_switch(self.looked, self.history, self.patience, self.min_gain) is not None:
            self.switched_at = step
            return True
        return False

    def __call__(self, trainer) -> None:
        if trainer.quantizing or not self._due(trainer.step):
            return
        tokens_per_sample = trainer.latents(trainer.data[:1]).shape[1]
        latents = trainer.latents(trainer.data[: max(1, self.probe // tokens_per_sample)])
        ranks.agree([latents])  # they differ from rank to rank in their last digits, and all have to switch together
        if self.observe(trainer.step, latents, trainer.settings.codebook_size, trainer.settings.steps):
            trainer.switch()

    def _due(self, step: int) -> bool:
        looked = step in self.looked[-1:]  # a training that goes on shows its last step a second time
        return self.switched_at is None and step % self.every == 0 and not looked
