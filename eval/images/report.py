"""What ``pixelpush nll`` prints, draws and writes of image models beside the likelihood tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pixelpush.eval.figures import figure_file
from pixelpush.eval.images.conditions import Heard, Listening
from pixelpush.eval.images.scales import Share
from pixelpush.eval.text import text_table, with_error

_WIDTH = 0.38  # inches of a bar


def conditions_text(found: Listening) -> str:
    """A row for each lie: its cost in nats an image, in standard errors, and of how many images.

    >>> from pixelpush.eval.images.conditions import NONE, Lie
    >>> heard = Heard(Lie("class", NONE), cost=6.0, error=2.0, images=8)
    >>> conditions_text(Listening("a", "objects", 8, 640.0, [heard])).splitlines()[3]
    'class: left out         6.00 ± 2.00    +3.0       8'
    """
    rows = [
        [_name(heard), with_error(heard.cost, heard.error, 2), *_size(heard)]
        for heard in found.heard
    ]
    title = f"{found.model} on {found.data}: {found.true:.2f} nats an image with its own condition"
    header = ["another condition", "cost, nats/image", "errors", "images"]
    note = (
        "paired by image; ± one standard error over images; alone: every other part left out, in "
        "the true condition too."
    )
    return "\n".join([title, text_table(header, rows), note])


def _name(heard: Heard) -> str:
    lie = heard.lie
    return f"{lie.part}{' alone' if lie.alone else ''}: {lie.way}"


def _size(heard: Heard) -> list[str]:
    errors = heard.errors_from_zero
    return ["-" if errors is None else f"{errors:+.1f}", str(heard.images)]


def conditions_json(found: Listening) -> dict[str, object]:
    """Everything measured, as JSON values.

    >>> conditions_json(Listening("a", "objects", 8, 640.0, []))["nats_per_image"]
    640.0
    """
    rows = [
        {**asdict(h.lie), "cost": h.cost, "error": h.error, "images": h.images} for h in found.heard
    ]
    about = {"model": found.model, "data": found.data, "images": found.images}
    return {**about, "nats_per_image": found.true, "conditions": rows}


def shares_text(name: str, parts: Sequence[Share]) -> str:
    """A row for each scale and group: its pixels, its nats, and its share of the image's nats.

    >>> print(shares_text("a", [Share(2, 0, 30.0, 4), Share(4, 2, 10.0, 4)]))
    a, by scale  pixels  nats/image   share  nats/pixel
    ---------------------------------------------------
    2, base           4        30.0   75.0%       7.500
    4, group 2        4        10.0   25.0%       2.500
    ---------------------------------------------------
    all               8        40.0  100.0%
    """
    total = sum(share.nats for share in parts)
    rows = [
        [
            share.label,
            str(share.pixels),
            f"{share.nats:.1f}",
            f"{share.nats / total:.1%}",
            f"{share.nats_per_pixel:.3f}",
        ]
        for share in parts
    ]
    rows.append(["all", str(sum(s.pixels for s in parts)), f"{total:.1f}", "100.0%", ""])
    header = [f"{name}, by scale", "pixels", "nats/image", "share", "nats/pixel"]
    return text_table(header, rows, [len(parts)])


def image_figure(path: Path, parts: Sequence[Share], found: Listening | None, name: str) -> None:
    """Where the nats are, and what false conditions cost; a panel each, of what there is.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     image_figure(Path(folder) / "a.png", [Share(2, 0, 30.0, 4)], None, "a")
    ...     (Path(folder) / "a.png").is_file()
    True
    """
    counts = [count for count in (len(parts), len(found.heard) if found else 0) if count]
    widths = [1.6 + _WIDTH * count for count in counts]
    with figure_file(path, sum(widths), 3.6) as figure:
        axes = list(figure.subplots(1, len(counts), squeeze=False, width_ratios=widths)[0])
        if parts:
            _draw_shares(axes[0], parts)
            axes[0].set_title(f"{name}: nats a pixel; share of the image's nats", fontsize=8)
        if found is not None:
            _draw_costs(axes[-1], found)
            title = f"false conditions, {found.images} images of {found.data}"
            axes[-1].set_title(title, fontsize=8)
        for axis in axes:
            axis.tick_params(labelsize=6)
            axis.yaxis.label.set_size(7)


def _draw_shares(axis: Any, parts: Sequence[Share]) -> None:
    total = sum(share.nats for share in parts)
    heights = [share.nats_per_pixel for share in parts]
    axis.bar(range(len(parts)), heights, color="0.55")
    axis.set_xticks(range(len(parts)), [share.label for share in parts], rotation=60, ha="right")
    axis.set_ylabel("nats a pixel")
    for place, share in enumerate(parts):
        label = f"{share.nats / total:.0%}"
        axis.text(place, heights[place], label, ha="center", va="bottom", fontsize=6)


def _draw_costs(axis: Any, found: Listening) -> None:
    costs = [heard.cost for heard in found.heard]
    errors = [heard.error or 0.0 for heard in found.heard]
    axis.bar(range(len(costs)), costs, yerr=errors, color="tab:blue", ecolor="black")
    names = [_name(heard) for heard in found.heard]
    axis.set_xticks(range(len(costs)), names, rotation=60, ha="right")
    axis.axhline(0, color="0.3", lw=0.8)
    axis.set_ylabel("cost, nats an image")
