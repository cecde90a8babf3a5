"""The command line: `python -m vqlab doctor`, `train`, `sweep`, `download`; for teachers `assignment`, `grade`, `pack`.

A subcommand is one function that adds its parser and sets `run`, and its name in COMMANDS.
Exit status: 0 done, 1 something cannot work (one sentence on stderr says what), 2 wrong usage, 130 stopped by Ctrl-C.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqlab import LabError
from vqlab.classroom.cli import add_assignment, add_grade, add_pack
from vqlab.commands.sweep import add_sweep
from vqlab.commands.train import add_train

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with `arguments` (default: those of this process). Returns the exit status."""
    parser = argparse.ArgumentParser(prog="vqlab", description="A teaching lab on collapse in vector quantization.")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command(subcommands)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except LabError as error:
        print(f"vqlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("vqlab: stopped", file=sys.stderr)
        return INTERRUPTED


def _doctor(subcommands: argparse._SubParsersAction) -> None:
    parser = subcommands.add_parser("doctor", help="check that everything the labs need is here and works")

    def run(_: argparse.Namespace) -> int:
        from vqlab import doctor

        return doctor.main()

    parser.set_defaults(run=run)


def _sweep(subcommands: argparse._SubParsersAction) -> None:
    def experiments() -> dict:
        from vqlab import labs

        return labs.experiments()

    add_sweep(subcommands, experiments)


def _download(subcommands: argparse._SubParsersAction) -> None:
    parser = subcommands.add_parser("download", help="fetch CIFAR-10 (170 MB); interrupted, the same command goes on")
    parser.add_argument("name", choices=["cifar10"])
    parser.add_argument("--folder", type=Path, help="where to (default: VQLAB_DATA if set, else the labs' cache)")
    parser.set_defaults(run=_run_download)


def _run_download(chosen: argparse.Namespace) -> int:
    from vqlab.data import download, find_cifar10

    try:
        folder = download.download_cifar10(chosen.folder)
    except KeyboardInterrupt:
        print("Stopped; what has arrived is kept, so the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    hint = "" if folder == find_cifar10() else f"; set VQLAB_DATA={folder}, so that it is found there"
    print(f"CIFAR-10 is in {folder}{hint}")
    return 0


COMMANDS = (_doctor, add_train, _sweep, _download, add_assignment, add_grade, add_pack)

if __name__ == "__main__":
    sys.exit(main())
