"""Where Lab 04 tries the rule that switches by itself. No PyTorch, so that pictures can read it."""

# Beside K = 256, slope 1 and β = 1, what is changed.
POSITIONS = {
    "β = 1": {},
    "β = 0": {"beta": 0},
    "β = ¼": {"beta": 0.25},
    "β = 4": {"beta": 4},
    "slope ½": {"slope": 0.5},
    "slope 2": {"slope": 2},
}
