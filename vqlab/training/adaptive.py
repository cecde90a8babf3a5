"""End the warm-up when water-filling says that more of it would serve no further dimension; for any training."""

import numpy as np

from vqlab import LabError, measures, theory


class AdaptiveSwitch:
    """A callback for `train.Trainer` that decides when to switch (the adaptive rule of arXiv 2605.06870, our wording).

    Every `every` steps of the warm-up it water-fills the principal variances of the latents at R = log2 K bits. The
    score is the number of active modes, the mean over the runs of a stack, which all switch together. When it has not
    grown by more than `min_gain` for `patience` checks (`theory.adaptive_switch`), or at the share `latest` of all
    steps, it calls `trainer.switch()`. Set `Settings.warmup` to `Settings.steps`, so that nothing else switches.

    Args: probe: how many latents the variances are measured on, at most.
    Attributes: history: the scores so far, one a check.   switched_at: the step of the switch, None before.
    Raises: LabError if every, patience or probe is below 1, min_gain below 0, or latest outside (0, 1).
    Example: `Trainer(model, data, Settings(steps=1500, warmup=1500)).run(AdaptiveSwitch())`.
    """

    def __init__(
        self, every: int = 25, patience: int = 3, min_gain: float = 0.0, latest: float = 0.5, probe: int = 4096
    ) -> None:
        if min(every, probe) < 1:
            raise LabError(f"every and probe must be at least 1, got {every} and {probe}")
        if not 0 < latest < 1:
            raise LabError(f"latest is a share of the steps between 0 and 1, both excluded, got {latest}")
        theory.adaptive_switch([], patience, min_gain)  # refuses what it cannot use
        self.every, self.patience, self.min_gain, self.latest, self.probe = every, patience, min_gain, latest, probe
        self.history: list[float] = []
        self.switched_at: int | None = None

    def __call__(self, trainer) -> None:
        if trainer.quantizing or trainer.step % self.every:
            return
        variances = measures.principal_variances(self._latents(trainer))
        active = theory.water_fill(variances, np.log2(trainer.settings.codebook_size)).active  # (R,)
        self.history.append(float(active.mean()))
        late = trainer.step >= self.latest * trainer.settings.steps
        if late or theory.adaptive_switch(self.history, self.patience, self.min_gain) is not None:
            trainer.switch()
            self.switched_at = trainer.step

    def _latents(self, trainer) -> np.ndarray:
        tokens_per_sample = trainer.latents(trainer.data[:1]).shape[1]
        return trainer.latents(trainer.data[: max(1, self.probe // tokens_per_sample)]).numpy()
