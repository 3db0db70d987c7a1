"""Speed and memory of the simulated bin: episodes a second on one core, on all, and what a worker
holds.

python -m experiments.simulated_bin [--episodes 40] [--sizes 64 128 256] [--workers N]
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import mujoco
import numpy as np

from pixelpush.datasets.sim import open_sim
from pixelpush.datasets.sim.environment import SimulatedBin
from pixelpush.datasets.sim.generate import SCENE_VERSION, generate_episode, simulate_episode


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


def environment_rate(size: int, steps: int, render: bool) -> float:
    """Steps a CPU second of ``SimulatedBin``, resets left out. One process."""
    bin = SimulatedBin("sim", size, render=render)
    seconds = 0.0
    for number in range(-(-steps // 19)):
        seen = bin.reset("val", number)
        start = time.process_time()
        for step in range(19):
            drift = np.array([0, 0.02 if (step // 8) % 2 else -0.02, 0, 0, 0])
            seen = bin.step((seen.state + drift).clip(bin.lowest, bin.highest))
        seconds += time.process_time() - start
    return 19 * -(-steps // 19) / seconds


def all_cores(workers: int, episodes: int) -> float:
    """Wall-clock episodes a second of ``open_sim`` from nothing, store and start of the workers
    included."""
    with tempfile.TemporaryDirectory() as root:
        start = time.perf_counter()
        open_sim("sim", "train", episodes=episodes, workers=workers, root=Path(root))
        return episodes / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--episodes",
        type=int,
        default=40,
        help="episodes to time at 64 pixels; fewer at larger sizes",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    versions = f"scene version {SCENE_VERSION}, mujoco {mujoco.__version__}, numpy {np.__version__}"
    print(f"{versions}, load {os.getloadavg()[0]:.1f}")
    for size in options.sizes:
        count = max(2, options.episodes * 64 * 64 // (size * size))
        total, physics, rate = one_core(size, count)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{size}x{size}: {1 / total:.2f} episodes a CPU second ({rate:.2f} a wall-clock "
            "second), "
            f"physics {1e3 * physics:.0f} ms + frames {1e3 * (total - physics):.0f} ms an episode, "
            f"{memory:.0f} MiB so far"
        )
        rates = [environment_rate(size, 19 * count, render) for render in (True, False)]
        print(
            f"{size}x{size}: as an environment {rates[0]:.1f} steps a CPU second with frames, "
            f"{rates[1]:.0f} without"
        )
    count = 64 * options.workers
    rate = all_cores(options.workers, count)
    print(
        f"store with {options.workers} workers: {rate:.2f} episodes/s, 5000 episodes in "
        f"{5000 / rate / 60:.0f} minutes"
    )


if __name__ == "__main__":
    main()
