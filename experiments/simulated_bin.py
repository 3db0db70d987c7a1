"""Speed, memory and aliasing of the simulated bin, and how often an object moves.

python -m experiments.simulated_bin                                    everything: most of an hour
python -m experiments.simulated_bin --parts speed --episodes 4 --sizes 64           half a minute
python -m experiments.simulated_bin --parts aliasing --sizes 256 --frames 1 --names sim-diverse
"""

from __future__ import annotations

import argparse
import functools
import os
import resource
import tempfile
import time
from pathlib import Path

import mujoco
import numpy as np

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.environment import SimulatedBin
from pixelpush.datasets.sim.generate import (
    SCENE_VERSION,
    generate_episode,
    scene_of,
    simulate_episode,
)
from pixelpush.datasets.sim.names import LABORATORIES, SPLITS
from pixelpush.datasets.sim.opening import open_sim
from pixelpush.datasets.sim.renderer import EVERY_SAMPLE, Renderer

MOVES_OF = 5
PARTS = ("speed", "share", "aliasing", "store")


def one_core(size: int, episodes: int) -> tuple[float, float, float]:
    """CPU seconds an episode: in all, of physics alone; and wall-clock episodes a second. One
    process."""
    simulate_episode("sim", "val", 0)
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(episodes):
        generate_episode("sim", "train", number, size)
    total, seconds = (time.process_time() - cpu) / episodes, time.perf_counter() - wall
    cpu = time.process_time()
    for number in range(episodes):
        simulate_episode("sim", "train", number)
    return total, (time.process_time() - cpu) / episodes, episodes / seconds


def all_cores(workers: int, episodes: int) -> float:
    """Wall-clock episodes a second of ``open_sim`` from nothing, store and start of the workers
    included."""
    with tempfile.TemporaryDirectory() as root:
        start = time.perf_counter()
        open_sim("sim", "train", episodes=episodes, workers=workers, root=Path(root))
        return episodes / (time.perf_counter() - start)


def aliasing(laboratory: str, size: int, number: int, count: int) -> dict[str, tuple[float, float]]:
    """Mean distances in levels (where something moves, elsewhere) of ``count`` frames of an
    episode.

    'all 64': from the same frames with 64 samples for every pixel; '256 averaged', of smaller ones:
    from the 256-pixel frames, averaged, whose pixels have 4 to 64 samples each. Where something
    moves is told from at least MOVES_OF frames."""
    rollout = simulate_episode(laboratory, "train", number)
    scene = scene_of(laboratory, "train", number)
    chosen = np.linspace(0, len(rollout.moved) - 1, max(count, MOVES_OF)).round().astype(int)
    frames = Renderer(scene, size).render(rollout.configurations[chosen], rollout.moved[chosen])[0]
    differ = np.abs(frames - np.median(frames, axis=0)) > 3
    moves: np.ndarray = np.asarray(differ.any(axis=1, keepdims=True))
    compared = np.linspace(0, len(chosen) - 1, count + 2).round().astype(int)[1:-1]
    moments = rollout.configurations[chosen[compared]], rollout.moved[chosen[compared]]
    frames = frames[compared].astype(float)
    moves = np.broadcast_to(moves[compared], frames.shape)
    references = {"all 64": Renderer(scene, size, EVERY_SAMPLE).render(*moments)[0]}
    ratio = 256 // size
    if ratio > 1:
        large = Renderer(scene, 256).render(*moments)[0].astype(float)
        averaged = large.reshape(len(frames), 3, size, ratio, size, ratio).mean((3, 5))
        references["256 averaged"] = averaged
    found = {}
    for name, reference in references.items():
        distance = np.abs(frames - reference)
        found[name] = float(distance[moves].mean()), float(distance[~moves].mean())
    return found


def moved_share(laboratory: str, split: str, episodes: int) -> float:
    """Share of the episodes in which some object moves by more than a centimetre."""
    moving = 0
    for number in range(episodes):
        configurations = simulate_episode(laboratory, split, number).configurations
        places = configurations[:, JOINTS:].reshape(len(configurations), -1, 7)[..., :3]
        moving += bool((np.linalg.norm(places - places[:1], axis=-1) > 0.01).any())
    return moving / episodes


def steps_per_second(steps: int = 19) -> float:
    """Steps of the environment with frames and labels, on one core."""
    world = SimulatedBin()
    world.reset("val", 0)
    actions = simulate_episode("sim", "val", 0).actions
    start = time.process_time()
    for action in actions[:steps]:
        world.step(action)
    return steps / (time.process_time() - start)


say = functools.partial(print, flush=True)


def print_speed(sizes: list[int], episodes: int) -> None:
    """Of one process, by CPU seconds, at each size; and of the environment."""
    for size in sizes:
        total, physics, rate = one_core(size, max(2, episodes * 64 * 64 // (size * size)))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(
            f"{size}x{size}: {1 / total:.2f} episodes a CPU second ({rate:.2f} a wall-clock "
            f"second), physics {1e3 * physics:.0f} ms + frames {1e3 * (total - physics):.0f} ms an "
            f"episode, {memory:.0f} MiB so far"
        )
    say(f"environment: {steps_per_second():.1f} steps a CPU second with frames of 64x64")


def print_aliasing(laboratory: str, sizes: list[int], frames: int) -> None:
    """Of one episode, at each size."""
    for size in sizes:
        for name, (moving, still) in aliasing(laboratory, size, 4, frames).items():
            say(
                f"{laboratory} {size}x{size}, {frames} frames, {name}: {moving:.2f} where it "
                f"moves, {still:.2f} else"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument(
        "--names", nargs="+", choices=LABORATORIES, default=LABORATORIES, help="which bins"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument(
        "--episodes",
        type=int,
        default=40,
        help="episodes to time at 64 pixels, fewer at larger sizes; and of each split, to see "
        "whether an object moves",
    )
    parser.add_argument(
        "--frames", type=int, default=7, help="frames of an episode to look for aliasing in"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    versions = f"scene version {SCENE_VERSION}, mujoco {mujoco.__version__}, numpy {np.__version__}"
    say(f"{versions}, load {os.getloadavg()[0]:.1f}")
    if "speed" in options.parts:
        print_speed(options.sizes, options.episodes)
    for laboratory in options.names:
        if "share" in options.parts:
            shares = [f"{s} {moved_share(laboratory, s, options.episodes):.0%}" for s in SPLITS]
            say(f"{laboratory}: an object moves by over 1 cm in {', '.join(shares)} of episodes")
        if "aliasing" in options.parts:
            print_aliasing(laboratory, options.sizes, options.frames)
    if "store" in options.parts:
        rate = all_cores(options.workers, 64 * options.workers)
        say(
            f"store with {options.workers} workers: {rate:.2f} episodes/s, 5000 episodes in "
            f"{5000 / rate / 60:.0f} minutes"
        )


if __name__ == "__main__":
    main()
