"""The command ``pixelpush demo``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixelpush.settings import Device, check_seed


@dataclass(frozen=True)
class DemoOptions:
    """Options of ``pixelpush demo``. Raises InputError for a negative seed.

    Example:
        >>> DemoOptions(small=True).device
        'cpu'
    """

    out: Path = Path("demo")
    """Folder for everything the demo makes."""
    small: bool = False
    """A smaller setting, for a quick check: fewer and smaller episodes, less training."""
    seed: int = 0
    """Seed of training and sampling."""
    device: Device = "cpu"
    """Where to compute."""

    def __post_init__(self):
        check_seed(self.seed)


def demo(options: DemoOptions) -> None:
    """The whole path in a few minutes: simulated pushing, a model, its likelihood table, sampled
    futures as MP4.

    Example:
        >>> from unittest.mock import patch
        >>> with patch("pixelpush.eval.demo.run_demo", print):
        ...     demo(DemoOptions(small=True))
        demo True 0 cpu
    """
    from pixelpush.eval.demo import run_demo

    run_demo(options.out, options.small, options.seed, options.device)
