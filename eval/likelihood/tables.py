"""Tables and figures of a likelihood report: one split in detail, and Table 2 beside the published
one."""

from __future__ import annotations

from pixelpush.eval.likelihood.metrics import (
    HEADLINE,
    find_metric,
    metric_table_columns,
    metrics_of,
)
from pixelpush.eval.likelihood.report import LikelihoodReport, SplitFacts, Summary
from pixelpush.eval.statistics import FramePoint
from pixelpush.eval.text import number, text_table
from pixelpush.published import (
    MOVING_MNIST_NATS_PER_FRAME,
    MOVING_MNIST_SOURCE,
    ROBOT_PUSHING,
    ROBOT_PUSHING_SOURCE,
)
from pixelpush.vpn.decoders import KINDS

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


def protocol_line(report: LikelihoodReport) -> str:
    """What was counted, in one line."""
    protocol = report.protocol
    arithmetic = "bfloat16" if protocol.precision == "bf16" else "float32"
    return (
        f"{protocol.context} context frames given and not counted, clips of "
        f"{protocol.clip_frames} frames, {arithmetic} on {protocol.device}; "
        "± is one standard error over episodes"
    )


def split_line(name: str, facts: SplitFacts) -> str:
    """How much of the split was scored, saying so where it is not the whole."""
    part = f"all {facts.episodes_in_split} episodes"
    if not facts.whole_split:
        part = f"ONLY the first {facts.episodes} of {facts.episodes_in_split} episodes (a prefix)"
    return f"{name} ({facts.name}): {part}, {facts.predicted_frames} predicted frames"


def split_text(report: LikelihoodReport, split: str) -> str:
    """Everything about one split: models, reference, floor, and the curve over frames."""
    facts = report.splits[split]
    names = [model.label for model in report.models]
    rows = [_cells(model.splits[split]) for model in report.models]
    if report.reference is not None:
        names.append(REFERENCE_ROW)
        rows.append(_cells(report.reference.splits[split]))
    if facts.floor is not None:
        names.append(FLOOR_ROW)
        rows.append({HEADLINE: find_metric(HEADLINE).cell(facts.floor.mean)})
    headers, cells = metric_table_columns("video", rows)
    named = [[name, *line] for name, line in zip(names, cells, strict=True)]
    curves = [
        f"{model.name} by frame: {_curve(model.splits[split].per_frame)}" for model in report.models
    ]
    return "\n".join([split_line(split, facts), text_table(["", *headers], named), *curves])


def table2_text(report: LikelihoodReport) -> str:
    """Reed et al. 2017, Table 2: rows are models, columns splits, nats per sub-pixel; the published
    rows below."""
    splits = list(report.splits)
    ours = [
        [name, *(_cell(HEADLINE, summaries[split]) for split in splits)]
        for name, summaries in report.rows(REFERENCE_ROW)
    ]
    ours += _floor_rows(report)
    theirs = [
        [KINDS[kind].label, *(number(values.get(name), 2) for name in splits)]
        for kind, values in ROBOT_PUSHING.items()
        if any(name in values for name in splits)
    ]
    header = ["", *(COLUMNS.get(name, name) for name in splits)]
    lines = [split_line(name, facts) for name, facts in report.splits.items()]
    lines.append(text_table(header, ours + theirs, rule_before=[len(ours)]))
    if theirs:
        lines.append(
            "Below the rule: published, on the Google robot pushing recordings "
            f"({ROBOT_PUSHING_SOURCE})."
        )
    return "\n".join(lines)


def _floor_rows(report: LikelihoodReport) -> list[list[str]]:
    """The noise floor and each model's distance to it; none where no split has a floor."""
    floors = [facts.floor for facts in report.splits.values()]
    if all(floor is None for floor in floors):
        return []
    rows = [[FLOOR_ROW, *(number(floor and floor.mean.value, 3) for floor in floors)]]
    for model in report.models:
        above = [_cell("above_floor", model.splits[name]) for name in report.splits]
        rows.append([f"{model.name} above floor", *above])
    return rows


def moving_mnist_text(report: LikelihoodReport) -> str:
    """Nats per frame of the splits that are Moving MNIST, the published ones below; '' where none
    is."""
    splits = [name for name, facts in report.splits.items() if facts.source == MOVING_MNIST]
    if not splits:
        return ""
    metric = find_metric("nats_per_frame")
    rows = [
        [f"{name}, {split}", metric.cell(summaries[split].figures[metric.name])]
        for name, summaries in report.rows(REFERENCE_ROW)
        for split in splits
    ]
    ours = len(rows)
    rows += [
        [f"{name}, test", metric.cell(nats)] for name, nats in MOVING_MNIST_NATS_PER_FRAME.items()
    ]
    # The published loss takes a grey value for the probability of white: without this line the rows
    # would mislead.
    note = (
        f"Below the rule: published ({MOVING_MNIST_SOURCE}), binary cross-entropy of grey values, "
        "10 frames after 10 given; ours are exact, of 256 levels: another scale."
    )
    return "\n".join([text_table(["Moving MNIST", metric.header], rows, rule_before=[ours]), note])


def _cells(summary: Summary) -> dict[str, str]:
    """A row's cells by the metric's name."""
    return {
        metric.name: metric.cell(summary.figures[metric.name]) for metric in metrics_of("video")
    }


def _cell(name: str, summary: Summary) -> str:
    """A metric with the three digits of Table 2."""
    return find_metric(name).cell(summary.figures[name], digits=3)


def _curve(points: list[FramePoint], most: int = 10) -> str:
    """At most ``most`` points, evenly spread, with the first and the last."""
    if len(points) > most:
        points = [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]
    return "  ".join(f"{point.frame}: {point.nats_per_subpixel:.3f}" for point in points)
