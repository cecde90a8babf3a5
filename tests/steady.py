"""Hypothesis with the same examples at each run, however slow the machine is: to be imported before `given` is used."""

import hypothesis

hypothesis.settings.register_profile("lab", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("lab")
given, settings = hypothesis.given, hypothesis.settings
