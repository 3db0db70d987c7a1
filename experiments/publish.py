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
from pixelpush.eval.export import export_model
from pixelpush.saved import SHIPPED

LARGEST_BYTES = 16_000_000


@dataclass(frozen=True)
class Options:
    """What to publish."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    name: tyro.conf.Positional[str]
    """Name under which the weights load."""
    card: Path
    """Markdown file: data, steps, hardware, time, figures, limits. A metadata header is added."""
    folder: Path = SHIPPED
    """Where shipped weights lie."""


def publish(options: Options) -> Path:
    """Write ``folder/name``; weights of two or more dimensions become float16, vectors stay
    float32.

    Raises InputError where the card is missing, the name is taken or the weights exceed 16 MB.
    """
    target = options.folder / options.name
    return export_model(str(options.run), target, options.card, True, LARGEST_BYTES)


if __name__ == "__main__":
    try:
        print(publish(tyro.cli(Options, description=__doc__)))
    except InputError as error:
        print(f"publish: {error}", file=sys.stderr)
        sys.exit(2)
