"""Subcommands of `python -m vqlab`. Importing them needs the standard library only; packages load when one runs."""
