"""What the experiments in the plane share: a quick setting and its seeds."""

SEEDS = tuple(range(8))
# Cold and warm part as clearly here as at twice the width, batch and steps, at an eighth of the cost.
QUICK = {"hidden": 32, "steps": 1000, "batch_size": 128, "learning_rate": 2e-3}
