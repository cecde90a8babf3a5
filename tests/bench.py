"""What the design buys, measured on this machine: `python tests/bench.py [--json]`, some four minutes.

What one small run costs when many train at once, what one large quantization step costs, how much memory a large
codebook needs, how long every explorer takes to redraw and to train live. The yardsticks are the same training
around vector-quantize-pytorch's `VectorQuantize`, and the bare matrix product that any nearest-code search contains.
Contestants take turns, round by round, so that a busy neighbour slows all of them alike.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import explorers
import torch
from plain_vqgan import PlainDistance, PlainVQGAN, Residual
from torch import nn

from vqlab import data
from vqlab.models import CONFIGURATIONS, VQGAN, MLPAutoencoder
from vqlab.models.vqgan import _Residual
from vqlab.quantizers import VectorQuantizer
from vqlab.training import Settings, Trainer
from vqlab.widgets import Explorer

THREADS = 2
_TURN_SECONDS = 0.05
CODES, BATCH, HIDDEN, LEARNING_RATE, WARMUP_SHARE = 128, 128, 32, 2e-3, 0.4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=3, help="turns that every contestant takes (default: 3)")
    args = parser.parse_args()
    torch.set_num_threads(THREADS)
    numbers = {
        "threads": THREADS,
        "torch": torch.__version__,
        "run": [run_costs(rounds=args.rounds, seeds=seeds) for seeds in (8, 32)],
        "step": [step_costs(k, rounds=10 * args.rounds) for k in (1024, 16_384)],
        "vqgan": [vqgan_costs(width, rounds=5 * args.rounds) for width in (8, 16)],
        "block": paper_block_costs(rounds=args.rounds),
        "memory_mb": peak_memory(),
        "explorers": {source.stem: explorer_seconds(source) for source in explorers.SOURCES},
    }
    print(json.dumps(numbers, indent=2) if args.json else _table(numbers))


def run_costs(steps: int = 1000, seeds: int = 8, rounds: int = 3) -> dict:
    """Seconds per 2-D training run: ours with `seeds` runs stacked, ours alone, VectorQuantize's alone.

    Returns: steps, seeds, and `median`, `fastest`, `ratio` (to one stacked run) of each contestant.
    """
    points = torch.from_numpy(data.gaussian_ring().x)
    trains = {
        "stacked": lambda steps: _our_run(points, steps, range(seeds)),
        "alone": lambda steps: _our_run(points, steps, range(1)),
        "theirs": lambda steps: _their_run(points, steps),
    }
    timed = {name: (lambda train=train: train(10), lambda train=train: train(steps)) for name, train in trains.items()}
    times = _take_turns(timed, rounds)
    times["stacked"] = [seconds / seeds for seconds in times["stacked"]]
    return {"steps": steps, "seeds": seeds} | _compare(times, to="stacked")


def _our_run(points: torch.Tensor, steps: int, seeds: range) -> None:
    settings = Settings(
        codebook_size=CODES,
        steps=steps,
        warmup=int(WARMUP_SHARE * steps),
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
    )
    Trainer(MLPAutoencoder(seeds, hidden=HIDDEN), points, settings, seeds).run()


def _their_run(points: torch.Tensor, steps: int) -> None:
    from vector_quantize_pytorch import VectorQuantize

    encoder, decoder = (
        nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))
        for _ in range(2)
    )
    quantizer = VectorQuantize(
        dim=2, codebook_size=CODES, decay=0.99, kmeans_init=True, commitment_weight=0.25, rotation_trick=False
    )
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE)
    warmup = int(WARMUP_SHARE * steps)
    for step in range(steps):
        if step == warmup:
            with torch.no_grad():
                quantizer(encoder(points)[None])  # its first call runs k-means on what it is given
            optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE)
        x = points[torch.randint(len(points), (BATCH,))]
        z, commitment = encoder(x)[None], 0
        if step >= warmup:
            z, _, commitment = quantizer(z)
        loss = (decoder(z[0]) - x).square().mean() + commitment
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def step_costs(k: int, n: int = 4096, d: int = 64, rounds: int = 30) -> dict:
    """Milliseconds of one quantization step (look-up, EMA update, backward) of n latents in d dimensions.

    Returns: k, and `median`, `fastest`, `ratio` (to ours) of ours, VectorQuantize's and the bare matrix product of
    latents and codes.
    """
    from vector_quantize_pytorch import VectorQuantize

    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1, n, d, generator=generator, requires_grad=True)
    gradient = torch.randn(1, n, d, generator=generator)
    ours = VectorQuantizer(k, d)
    theirs = VectorQuantize(dim=d, codebook_size=k, decay=0.99, commitment_weight=0.25, rotation_trick=False)
    latents, codes, scores = z.detach()[0], ours.codebook.detach()[0].clone(), torch.empty(n, k)

    def step(quantizer: nn.Module) -> None:
        z_q, _, loss = quantizer(z)
        torch.autograd.backward([z_q, loss.sum()], [gradient, None])

    contestants = {
        "ours": lambda: step(ours),
        "theirs": lambda: step(theirs),
        "product": lambda: torch.mm(latents, codes.T, out=scores),
    }
    times = _take_turns({name: (contestant, contestant) for name, contestant in contestants.items()}, rounds)
    return {"k": k} | _compare({name: [1e3 * t for t in taken] for name, taken in times.items()}, to="ours")


def vqgan_costs(width: int, k: int = 1024, batch: int = 16, rounds: int = 15) -> dict:
    """Milliseconds of one training step of the tiny VQGAN with perceptual loss, Adam and an EMA codebook.

    Returns: width, and `median`, `fastest`, `ratio` (to ours) of our trainer's, of a plain loop's around the same
    architecture of torch's modules with VectorQuantize in the middle, and of our network alone, forward and backward.
    """
    images = torch.from_numpy(data.photo_patches(256).x)
    settings = Settings(
        codebook_size=k, steps=10**6, batch_size=batch, loss="l1+perceptual", optimizer="adam", replace_below=0.1
    )
    trainer = Trainer(VQGAN.of("tiny", width=width), images, settings)
    trainer.switch()
    network, images = VQGAN.of("tiny", width=width), images / 255

    def alone() -> None:
        network.zero_grad()
        network.decode(network.encode(images[None, :batch])).sum().backward()

    contestants = {"ours": trainer._train_step, "theirs": _their_vqgan_step(width, k, images, batch), "network": alone}
    times = _take_turns({name: (contestant, contestant) for name, contestant in contestants.items()}, rounds)
    return {"width": width, "k": k} | _compare({n: [1e3 * t for t in taken] for n, taken in times.items()}, to="ours")


def _their_vqgan_step(width: int, k: int, images: torch.Tensor, batch: int) -> Callable[[], None]:
    network, distance = PlainVQGAN("tiny", width=width), PlainDistance()
    quantizer = _their_image_quantizer(CONFIGURATIONS["tiny"]["latent_dim"], k)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, betas=(0.5, 0.9))

    def step() -> None:
        x = images[torch.randint(len(images), (batch,))]
        z, _, commitment = quantizer(network.encode(x))
        y = network.decode(z)
        loss = 2 * (y - x).abs().mean() + distance(2 * x - 1, 2 * y - 1).mean() + commitment.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()  # training has to notice when it diverges

    return step


def _their_image_quantizer(d: int, k: int) -> nn.Module:
    from vector_quantize_pytorch import VectorQuantize

    more = {"threshold_ema_dead_code": 1, "rotation_trick": False, "accept_image_fmap": True}
    return VectorQuantize(dim=d, codebook_size=k, decay=0.99, **more)


def paper_block_costs(k: int = 16_384, batch: int = 16, rounds: int = 3) -> dict:
    """Milliseconds of one step of VQGAN's last level at the size of arXiv 2605.06870: 512 channels at 8 × 8 positions.

    A residual block, codes for its output's 256 channels, and Adam.
    Returns: k, and `median`, `fastest`, `ratio` (to ours) of ours, of the same from torch's modules around
    VectorQuantize, and of our block alone, forward and backward.
    """
    side, numbers = 8, CONFIGURATIONS["paper"]
    channels, d = numbers["width"] * numbers["multipliers"][-1], numbers["latent_dim"]
    x = torch.randn(batch, channels, side, side, generator=torch.Generator().manual_seed(0))
    block, quantizer = (
        nn.Sequential(_Residual(channels, channels, 32), nn.Conv2d(channels, d, 1)),
        VectorQuantizer(k, d),
    )
    plain = nn.Sequential(Residual(channels, channels, 32), nn.Conv2d(channels, d, 1))
    theirs, adam = _their_image_quantizer(d, k), {"lr": 1e-3, "betas": (0.5, 0.9)}
    optimizers = [
        torch.optim.Adam(block.parameters(), fused=True, **adam),
        torch.optim.Adam(plain.parameters(), **adam),
    ]
    # As behind the level before: without a gradient to ask for, torch 2.13's GroupNorm crashes in this order of memory.
    x.requires_grad_()
    ordered = x.detach().contiguous(memory_format=torch.channels_last).requires_grad_()

    def our_step() -> None:
        h = block(ordered).permute(0, 2, 3, 1).reshape(1, -1, d)  # (B, d, 8, 8) -> (1, B·64, d)
        z_q, _, loss = quantizer(h)
        optimizers[0].zero_grad()
        (z_q.square().mean() + loss.sum()).backward()
        optimizers[0].step()

    def their_step() -> None:
        z_q, _, loss = theirs(plain(x))
        optimizers[1].zero_grad()
        (z_q.square().mean() + loss.sum()).backward()
        optimizers[1].step()

    def alone() -> None:
        block.zero_grad()
        block(ordered).square().mean().backward()

    contestants = {"ours": our_step, "theirs": their_step, "network": alone}
    times = _take_turns({name: (contestant, contestant) for name, contestant in contestants.items()}, rounds)
    return {"k": k} | _compare({n: [1e3 * t for t in taken] for n, taken in times.items()}, to="ours")


def peak_memory() -> float:
    """MB that a training step adds at its peak, K = 65,536, N = 4,096, d = 256, measured in a process of its own."""
    script = Path(__file__).with_name("peak_memory.py")
    printed = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout
    return json.loads(printed)["step"]


def explorer_seconds(source: Path) -> list[dict[str, float | None]]:
    """For every explorer of a lab: median and slowest redraw over all moves, and a live training (None: has none)."""
    found = []
    for explorer in explorers.of_lab(source):
        redraws = [explorers.redraw_seconds(explorer, *move) for move in explorers.moves(explorer)]
        found.append({"median": statistics.median(redraws), "slowest": max(redraws), "live": _live_seconds(explorer)})
    return found


def _live_seconds(explorer: Explorer) -> float | None:
    if not explorer.trains:
        return None
    start = time.perf_counter()
    explorer.train_live()
    return time.perf_counter() - start


def _take_turns(contestants: dict[str, tuple[Callable, Callable]], rounds: int) -> dict[str, list[float]]:
    """Seconds a call of each contestant's second callable, which is called for a while in a row, as training would.

    The first callable brings its kernels, threads and memory back into play.
    """
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, (warm_up, contestant) in contestants.items():
            warm_up()
            start, calls = time.perf_counter(), 0
            while calls == 0 or time.perf_counter() - start < _TURN_SECONDS:
                contestant()
                calls += 1
            times[name].append((time.perf_counter() - start) / calls)
    return times


def _compare(times: dict[str, list[float]], to: str) -> dict:
    # A ratio is the median over rounds of the ratio inside a round: both sides had the same neighbours.
    ratios = {name: [a / b for a, b in zip(taken, times[to], strict=True)] for name, taken in times.items()}
    return {
        "median": {name: statistics.median(taken) for name, taken in times.items()},
        "fastest": {name: min(taken) for name, taken in times.items()},
        "ratio": {name: statistics.median(taken) for name, taken in ratios.items()},
    }


def _table(numbers: dict) -> str:
    lines = []
    for run in numbers["run"]:
        names = {"stacked": f"ours, {run['seeds']} stacked", "alone": "ours, alone", "theirs": "VectorQuantize, alone"}
        lines += _section(f"One 2-D run of {run['steps']:,} steps, in s", run, names)
    names = {"ours": "ours", "theirs": "VectorQuantize", "product": "bare matrix product"}
    for step in numbers["step"]:
        lines += _section(f"One step, K = {step['k']:,}, N = 4,096, d = 64, in ms", step, names)
    names = {"ours": "ours", "theirs": "plain loop, VectorQuantize", "network": "the network alone"}
    for costs in numbers["vqgan"]:
        lines += _section(f"A tiny VQGAN's step, width {costs['width']}, K = {costs['k']:,}, in ms", costs, names)
    names = {"ours": "ours", "theirs": "plain, VectorQuantize", "network": "the block alone"}
    title = f"A block of the paper's size, K = {numbers['block']['k']:,}, in ms"
    lines += _section(title, numbers["block"], names)
    lines += [f"Peak memory of one step, K = 65,536, N = 4,096, d = 256: {numbers['memory_mb']:.0f} MB"]
    lines += ["", f"{'Explorers':44s}    redraw   slowest    live, in s"]
    for lab, found in numbers["explorers"].items():
        for i, seconds in enumerate(found, 1):
            live = f"{seconds['live']:8.1f}" if seconds["live"] is not None else ""
            lines.append(f"  {f'{lab}, {i}':42s}{seconds['median']:10.3f}{seconds['slowest']:10.3f}{live}")
    return "\n".join([*lines, f"({numbers['threads']} threads, torch {numbers['torch']})"])


def _section(title: str, costs: dict, names: dict[str, str]) -> list[str]:
    rows = [
        f"  {label:42s}{costs['median'][name]:10.3f}{costs['fastest'][name]:10.3f}{costs['ratio'][name]:8.2f}"
        for name, label in names.items()
    ]
    return [f"{title:44s}    median   fastest   ratio", *rows, ""]


if __name__ == "__main__":
    main()
