"""Find the pairs of eval/listening/counterfactual_pairs.json anew, after a change of the physics.

python experiments/counterfactual_pairs.py

Misses are searched for through val, then test-seen, then train; the other pairs take val's
episodes with each other's motion."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from pixelpush.eval.listening.counterfactuals import OTHER, PAIRS, Laboratory, Pair, pairs_json
from pixelpush.files import atomic_file


@dataclass(frozen=True)
class Options:
    """How many pairs."""

    misses: int = 80
    """Pushes that just miss."""
    others: int = 170
    """Starts under another episode's motion."""
    splits: tuple[str, ...] = ("val", "test-seen", "train")
    """Splits that are searched, in order, up to 250 episodes each."""


def main(options: Options) -> None:
    """Search, and replace the list."""
    laboratory = Laboratory(render=False)
    pairs: list[Pair] = []
    for split in options.splits:
        for episode in range(250):
            if len(pairs) == options.misses:
                break
            found = laboratory.near_miss(split, episode)
            if found is not None:
                pairs.append(found)
                print(f"{len(pairs)} of {options.misses}: {found}", flush=True)
    count = options.others
    pairs += [Pair("val", n, OTHER, other=(n + count // 2) % count) for n in range(count)]
    with atomic_file(PAIRS) as partial:
        partial.write_text(pairs_json(pairs))


if __name__ == "__main__":
    main(tyro.cli(Options))
