"""Tables and figures of a likelihood report: one split in detail, and Table 2 beside the published
one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixelpush.eval.published import (
    MOVING_MNIST_NATS_PER_FRAME,
    MOVING_MNIST_SOURCE,
    ROBOT_PUSHING,
    ROBOT_PUSHING_SOURCE,
)
from pixelpush.eval.report import number, text_table, with_error
from pixelpush.files import atomic_file

COLUMNS = {
    "train": "Tr",
    "val": "Val",
    "test": "Ts",
    "test-seen": "Ts-seen",
    "test-novel": "Ts-novel",
}
REFERENCE_ROW = "reference row"
FLOOR_ROW = "noise floor"
# What 'pixelpush prepare moving-mnist' writes as the source of its store.
MOVING_MNIST = "moving-mnist"
# Colour-blind safe (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def protocol_line(report: dict[str, Any]) -> str:
    """What was counted, in one line."""
    protocol = report["protocol"]
    return (
        f"{protocol['context']} context frames given and not counted, clips of "
        f"{protocol['clip_frames']} frames, "
        f"{'bfloat16' if protocol['precision'] == 'bf16' else 'float32'} on {protocol['device']}; "
        "± is one standard error over episodes"
    )


def split_line(name: str, split: dict[str, Any]) -> str:
    """How much of the split was scored, saying so where it is not the whole."""
    count, whole = split["episodes"], split["episodes_in_split"]
    part = (
        f"all {whole} episodes"
        if split["whole_split"]
        else f"ONLY the first {count} of {whole} episodes (a prefix)"
    )
    return f"{name} ({split['name']}): {part}, {split['predicted_frames']} predicted frames"


def split_text(report: dict[str, Any], split: str) -> str:
    """Everything about one split: models, reference, floor, and the curve over frames."""
    described = report["splits"][split]
    rows = [
        _detail(
            f"{entry['name']} ({entry['kind']}, {entry['parameters'] / 1e6:.2f}M)",
            entry["splits"][split],
        )
        for entry in report["models"]
    ]
    if report["reference"] is not None:
        rows.append(_detail(REFERENCE_ROW, report["reference"]["splits"][split]))
    floor = described["floor"]
    if floor is not None:
        rows.append(
            [FLOOR_ROW, with_error(floor["nats_per_subpixel"], floor["standard_error"]), "", "", ""]
        )
    header = ["", "nats/sub-pixel", "bits/dim", "above floor", "minus reference"]
    keep = [i for i in range(len(header)) if i < 3 or any(row[i] not in ("", "-") for row in rows)]
    table = text_table([header[i] for i in keep], [[row[i] for i in keep] for row in rows])
    curves = [
        f"{entry['name']} by frame: {_curve(entry['splits'][split]['per_frame'])}"
        for entry in report["models"]
    ]
    return "\n".join([split_line(split, described), table, *curves])


def table2_text(report: dict[str, Any]) -> str:
    """Reed et al. 2017, Table 2: rows are models, columns splits, nats per sub-pixel; the published
    rows below."""
    splits: list[str] = list(report["splits"])
    rows = [
        [entry["name"], *(_cell(entry["splits"][name]) for name in splits)]
        for entry in report["models"]
    ]
    if report["reference"] is not None:
        rows.append(
            [REFERENCE_ROW, *(_cell(report["reference"]["splits"][name]) for name in splits)]
        )
    floors = [report["splits"][name]["floor"] for name in splits]
    if any(floor is not None for floor in floors):
        rows.append(
            [FLOOR_ROW, *(number(floor and floor["nats_per_subpixel"], 3) for floor in floors)]
        )
        for entry in report["models"]:
            above = [entry["splits"][name]["above_floor"] for name in splits]
            rows.append([f"{entry['name']} above floor", *(_cell(value) for value in above)])
    ours = len(rows)
    for label, values in ROBOT_PUSHING.values():
        if any(name in values for name in splits):
            rows.append([label, *(number(values.get(name), 2) for name in splits)])
    lines = [split_line(name, described) for name, described in report["splits"].items()]
    lines.append(
        text_table(["", *(COLUMNS.get(name, name) for name in splits)], rows, rule_before=[ours])
    )
    if len(rows) > ours:
        lines.append(
            "Below the rule: published, on the Google robot pushing recordings "
            f"({ROBOT_PUSHING_SOURCE})."
        )
    return "\n".join(lines)


def moving_mnist_text(report: dict[str, Any]) -> str:
    """Nats per frame of the splits that are Moving MNIST, the published ones below; '' where none
    is."""
    splits = [
        name for name, described in report["splits"].items() if described["source"] == MOVING_MNIST
    ]
    if not splits:
        return ""
    rows = [
        [f"{name}, {split}", number(by_split[split]["nats_per_frame"], 1)]
        for name, by_split in _rows(report)
        for split in splits
    ]
    ours = len(rows)
    rows += [
        [f"{name}, test", number(nats, 1)] for name, nats in MOVING_MNIST_NATS_PER_FRAME.items()
    ]
    # The published loss takes a grey value for the probability of white: without this line the rows
    # would mislead.
    note = (
        f"Below the rule: published ({MOVING_MNIST_SOURCE}), binary cross-entropy of grey values, "
        "10 frames after 10 "
        "given; ours are exact, of 256 levels: another scale."
    )
    return "\n".join([text_table(["Moving MNIST", "nats/frame"], rows, rule_before=[ours]), note])


def likelihood_figure(report: dict[str, Any], path: Path) -> None:
    """Splits side by side, the published figures beside them, and the curve over frames of the last
    split."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    splits = list(report["splits"])
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    ours, published, curve = figure.subplots(1, 3)
    for colour, (name, by_split) in zip(_COLOURS * 9, _rows(report), strict=False):
        values = [by_split[split]["nats_per_subpixel"] for split in splits]
        errors = [by_split[split]["standard_error"] or 0.0 for split in splits]
        style = "--" if name == REFERENCE_ROW else "-"
        ours.errorbar(
            range(len(splits)),
            values,
            errors,
            marker="o",
            ms=4,
            ls=style,
            lw=1.2,
            color=colour,
            label=name,
        )
        points = by_split[splits[-1]]["per_frame"]
        frames, nats = [p["frame"] for p in points], [p["nats_per_subpixel"] for p in points]
        curve.plot(
            frames, nats, ls=style, lw=1.2, marker="o" if len(points) < 2 else None, color=colour
        )
    floors = [report["splits"][split]["floor"] for split in splits]
    if all(floor is not None for floor in floors):
        values = [floor["nats_per_subpixel"] for floor in floors]
        ours.plot(
            range(len(splits)), values, ls=":", marker="_", ms=14, color="0.4", label=FLOOR_ROW
        )
        curve.axhline(values[-1], ls=":", color="0.4")
    for marker, (label, values) in zip("osD^", ROBOT_PUSHING.values(), strict=True):
        there = [(i, values[split]) for i, split in enumerate(splits) if split in values]
        if there:
            published.plot(
                *zip(*there, strict=True),
                marker=marker,
                ms=4,
                lw=1.2,
                color="0.35",
                mfc="white",
                label=label,
            )
    _finish(ours, splits, "this report")
    _finish(published, splits, f"published, Google robot pushing\n({ROBOT_PUSHING_SOURCE})")
    curve.set(title=f"over frames, {splits[-1]}", xlabel="frame index in the episode")
    curve.xaxis.set_major_locator(MaxNLocator(integer=True))
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=160)


def _finish(axes: Any, splits: list[str], title: str) -> None:
    axes.set_xticks(range(len(splits)), [COLUMNS.get(split, split) for split in splits])
    axes.set(title=title, ylabel="nats per sub-pixel")
    axes.margins(x=0.15)
    if axes.has_data():
        axes.legend(fontsize=7, frameon=False)


def _rows(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    rows = [(entry["name"], entry["splits"]) for entry in report["models"]]
    return (
        rows
        if report["reference"] is None
        else [*rows, (REFERENCE_ROW, report["reference"]["splits"])]
    )


def _detail(name: str, summary: dict[str, Any]) -> list[str]:
    above, against = summary["above_floor"], summary["above_reference"]
    return [
        name,
        with_error(summary["nats_per_subpixel"], summary["standard_error"]),
        number(summary["bits_per_dimension"]),
        "-" if above is None else with_error(above["nats_per_subpixel"], above["standard_error"]),
        "-"
        if against is None
        else with_error(against["nats_per_subpixel"], against["standard_error"]),
    ]


def _cell(summary: dict[str, Any] | None) -> str:
    return (
        "-"
        if summary is None
        else with_error(summary["nats_per_subpixel"], summary["standard_error"], 3)
    )


def _curve(points: list[dict[str, Any]], most: int = 10) -> str:
    """At most ``most`` points, evenly spread, with the first and the last."""
    if len(points) > most:
        points = [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]
    return "  ".join(f"{point['frame']}: {point['nats_per_subpixel']:.3f}" for point in points)
