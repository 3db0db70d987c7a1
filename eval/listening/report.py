"""What ``pixelpush listen`` prints, draws and writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixelpush.eval.figures import figure_file
from pixelpush.eval.listening.measure import ACTIONS, SHUFFLED, Heard, Listening, verdict
from pixelpush.eval.text import text_table, with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def listening_json(found: Listening, name: str, maps: bool = True) -> dict[str, object]:
    """Everything measured, as JSON values. maps: with where in the picture each lie costs.

    >>> from pixelpush.eval.listening.measure import Lie
    >>> from pixelpush.eval.statistics import Ratio
    >>> heard = Heard(Lie(SHUFFLED), Ratio(0.5, 0.1), [0.5], np.zeros((8, 8)), exactly_zero=False)
    >>> found = Listening(Ratio(2.0, 0.1), [heard], episodes=4, context=2)
    >>> listening_json(found, "small")["lies"][0]["cost_nats_per_subpixel"]
    0.5
    """
    return {
        "model": name,
        "episodes": found.episodes,
        "context": found.context,
        "verdict": verdict(found, name),
        "true": {
            "nats_per_subpixel": found.true.value,
            "standard_error": found.true.standard_error,
        },
        "lies": [_lie_json(heard, maps) for heard in found.heard],
    }


def _lie_json(heard: Heard, maps: bool) -> dict[str, object]:
    values: dict[str, object] = {
        "name": heard.lie.name,
        "way": heard.lie.way,
        "of": heard.lie.of,
        "dimension": heard.lie.dimension,
        "cost_nats_per_subpixel": heard.cost.value,
        "standard_error": heard.cost.standard_error,
        "exactly_zero": heard.exactly_zero,
        "per_frame": heard.per_frame,
    }
    if maps:
        values["map"] = np.round(heard.map, 6).tolist()
    return values


def listening_text(found: Listening, name: str) -> str:
    """The table of costs and, last, the verdict.

    >>> from pixelpush.eval.listening.measure import Lie
    >>> from pixelpush.eval.statistics import Ratio
    >>> heard = Heard(Lie(SHUFFLED), Ratio(0.5, 0.1), [0.5], np.zeros((8, 8)), exactly_zero=False)
    >>> found = Listening(Ratio(2.0, 0.1), [heard], episodes=4, context=2)
    >>> print(listening_text(found, "small").splitlines()[-1])
    small listens to its actions: +0.5000 ± 0.1000 nats per sub-pixel with another episode's.
    """
    rows = [["as recorded", with_error(found.true.value, found.true.standard_error), ""]]
    for heard in found.heard:
        cost = with_error(heard.cost.value, heard.cost.standard_error, 5)
        rows.append([heard.lie.name, cost, "exactly 0" if heard.exactly_zero else ""])
    table = text_table([f"{name}, {found.episodes} episodes", "nats/sub-pixel", ""], rows)
    note = "below the first row: added cost, paired by episode; ± one standard error over episodes"
    return "\n".join([table, note, "", verdict(found, name)])


def listening_figure(found: Listening, picture: np.ndarray, path: Path) -> None:
    """Costs over frames, and where in the picture each action dimension counts.

    picture: uint8 (C, H, W), a frame to show the place.

    >>> import tempfile
    >>> from pixelpush.eval.listening.measure import Lie
    >>> from pixelpush.eval.statistics import Ratio
    >>> heard = Heard(Lie(SHUFFLED), Ratio(0.5, 0.1), [0.5], np.zeros((8, 8)), exactly_zero=False)
    >>> found = Listening(Ratio(2.0, 0.1), [heard], episodes=4, context=2)
    >>> picture = np.zeros((3, 8, 8), np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     listening_figure(found, picture, Path(folder) / "costs.svg")
    ...     print((Path(folder) / "costs.svg").exists())
    True
    """
    shown = [h for h in found.heard if h.lie.of == ACTIONS and h.lie.way == SHUFFLED]
    columns = len(shown) + 2
    with figure_file(path, 1.9 * columns + 1.5, 2.4) as figure:
        axes = figure.subplots(1, columns, width_ratios=[1.7, *[1] * (columns - 1)])
        _draw_costs(axes[0], found)
        axes[1].imshow(picture.transpose(1, 2, 0) if len(picture) == 3 else picture[0], cmap="gray")
        axes[1].set_title("a frame", fontsize=8)
        for panel, heard in zip(axes[2:], shown, strict=True):
            _draw_map(panel, heard)
        for panel in axes[1:]:
            panel.set_xticks([])
            panel.set_yticks([])


def _draw_costs(axes: Axes, found: Listening) -> None:
    """Cost over frames of each way to falsify all actions."""
    for heard in found.heard:
        if heard.lie.of == ACTIONS and heard.lie.dimension is None:
            frames = range(found.context, found.context + len(heard.per_frame))
            axes.plot(frames, heard.per_frame, lw=1.2, label=heard.lie.way)
    axes.axhline(0, color="0.6", lw=0.8)
    axes.set_title("cost of false actions", fontsize=8)
    axes.set_xlabel("frame", fontsize=7)
    axes.set_ylabel("nats per sub-pixel", fontsize=7)
    axes.tick_params(labelsize=6)
    axes.legend(fontsize=6, frameon=False)


def _draw_map(axes: Axes, heard: Heard) -> None:
    """Where the cost arises. Each dimension has its own scale: they differ by orders of
    magnitude."""
    largest = float(np.quantile(np.abs(heard.map), 0.99)) or 1.0
    axes.imshow(heard.map, cmap="RdBu_r", vmin=-largest, vmax=largest)
    part = "all" if heard.lie.dimension is None else f"dimension {heard.lie.dimension}"
    axes.set_title(f"{part}: {heard.cost.value:+.4f}\nred: {largest:.2g}", fontsize=7)
