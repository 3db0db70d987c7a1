"""Turn a run's best save into weights that ship with the package: half precision, its
configuration, a model card.

python -m experiments.publish runs/push-ot-small push-ot-small --card card.md
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from pixelpush.errors import InputError
from pixelpush.files import atomic_folder, read_json, write_json
from pixelpush.saved import SHIPPED, WEIGHTS, find_saved, save_model_files

# What a reader of shipped weights needs of a run's config.json: the protocol of training and how it
# came about.
KEPT = ("preset", "data", "train", "task", "versions")
LARGEST_BYTES = 16_000_000


@dataclass(frozen=True)
class Options:
    """What to publish."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    name: tyro.conf.Positional[str]
    """Name under which the weights load."""
    card: Path
    """Markdown file: data, steps, hardware, time, figures, limits."""
    folder: Path = SHIPPED
    """Where shipped weights lie."""


def publish(options: Options) -> Path:
    """Write ``folder/name``; weights of two or more dimensions become float16, vectors stay
    float32.

    Raises InputError where the card is missing, the name is taken or the weights exceed 16 MB.
    """
    from safetensors.torch import load_file

    if not options.card.is_file():
        raise InputError(f"{options.card}: no such file; shipped weights need a model card.")
    target = options.folder / options.name
    if target.exists():
        raise InputError(f"{target}: exists; remove it first.")
    saved = find_saved(options.run)
    weights = load_file(saved.folder / WEIGHTS)
    state = {
        name: value.half() if value.ndim > 1 and value.is_floating_point() else value
        for name, value in weights.items()
    }
    size = sum(value.numel() * value.element_size() for value in state.values())
    if size > LARGEST_BYTES:
        raise InputError(
            f"{options.run}: {size / 1e6:.1f} MB of weights; at most {LARGEST_BYTES / 1e6:.0f} MB "
            "ship."
        )
    config = read_json(options.run / "config.json")
    config["train"]["start"] = Path(
        config["train"].get("start", "")
    ).name  # folders of one machine do not ship
    with atomic_folder(target) as partial:
        save_model_files(partial, saved.family, saved.config, state)
        write_json(partial / "config.json", {key: config[key] for key in KEPT if key in config})
        (partial / "README.md").write_text(options.card.read_text())
    return target


if __name__ == "__main__":
    try:
        print(publish(tyro.cli(Options, description=__doc__)))
    except InputError as error:
        print(f"publish: {error}", file=sys.stderr)
        sys.exit(2)
