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
from pixelpush.eval.text import MISSING, number, text_table
from pixelpush.published import (
    MOVING_MNIST_NATS_PER_FRAME,
    MOVING_MNIST_SOURCE,
    ROBOT_PUSHING,
    ROBOT_PUSHING_SOURCE,
)
from pixelpush.vpn.decoders import KINDS
from pixelpush.words import counted

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
    """What was counted, in one line.

    >>> from pixelpush.eval.likelihood.settings import EvalProtocol
    >>> protocol_line(LikelihoodReport(EvalProtocol(), [], None, {})).partition(",")[0]
    '2 context frames given and not counted'
    """
    protocol = report.protocol
    arithmetic = "bfloat16" if protocol.precision == "bf16" else "float32"
    cut = f"clips of {protocol.clip_frames} frames"
    if protocol.sequences == "paper":
        cut = f"the first {protocol.clip_frames} frames of each episode (the papers' sequences)"
    return (
        f"{protocol.context} context frames given and not counted, "
        f"{cut}, {arithmetic} on {protocol.device}; "
        "± is one standard error over episodes"
    )


def split_line(name: str, facts: SplitFacts) -> str:
    """How much of the split was scored; a part is named as such.

    >>> split_line("val", SplitFacts("sim val", None, None, 2, 4, 0, False, 36, 110592, None))
    'val (sim val): ONLY the first 2 of 4 episodes (a prefix), 36 predicted frames'
    """
    part = f"all {counted(facts.episodes_in_split, 'episode')}"
    if not facts.whole_split:
        part = f"ONLY the first {facts.episodes} of {facts.episodes_in_split} episodes (a prefix)"
    if facts.left_out:
        part += f" of 20 frames or more ({facts.left_out} shorter ones left out)"
    return f"{name} ({facts.name}): {part}, {facts.predicted_frames} predicted frames"


def split_text(report: LikelihoodReport, split: str) -> str:
    """Everything about one split: models, reference, floor, and the curve over frames.

    >>> from pixelpush.eval.likelihood.settings import EvalProtocol
    >>> facts = SplitFacts("sim val", None, None, 2, 2, 0, True, 36, 110592, None)
    >>> report = LikelihoodReport(EvalProtocol(), [], None, {"val": facts})
    >>> split_text(report, "val").splitlines()[0]
    'val (sim val): all 2 episodes, 36 predicted frames'
    """
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
    """Reed et al. 2017, Table 2: rows are models, columns splits, nats per sub-pixel. The published
    figures are of other data and have columns of their own.

    >>> from pixelpush.eval.likelihood.settings import EvalProtocol
    >>> facts = SplitFacts("sim", None, None, 2, 2, 0, True, 36, 110592, None)
    >>> report = LikelihoodReport(EvalProtocol(), [], None, {"val": facts})
    >>> table2_text(report).splitlines()[1].split()
    ['Val', 'published', 'Val']
    """
    splits = list(report.splits)
    rows = [
        [name, *(_cell(HEADLINE, summaries[split]) for split in splits)]
        for name, summaries in report.rows(REFERENCE_ROW)
    ]
    rows += _floor_rows(report)
    header = ["", *(COLUMNS.get(name, name) for name in splits)]
    lines = [split_line(name, facts) for name, facts in report.splits.items()]
    printed = [name for name in splits if any(name in row for row in ROBOT_PUSHING.values())]
    if not printed:
        return "\n".join([*lines, text_table(header, rows)])
    kinds = [model.kind for model in report.models]
    kind_of_row = [*kinds, *[""] * (len(rows) - len(kinds))]
    rows = [[*row, *_published(kind, printed)] for row, kind in zip(rows, kind_of_row, strict=True)]
    others = [
        [KINDS[kind].label, *[MISSING] * len(splits), *_published(kind, printed)]
        for kind in ROBOT_PUSHING
        if kind not in kinds
    ]
    header += [f"published {COLUMNS[name]}" for name in printed]
    lines.append(text_table(header, [*rows, *others], rule_before=[len(rows)]))
    lines.append(
        "published: of the same kind of model on other data, the Google robot pushing recordings "
        f"({ROBOT_PUSHING_SOURCE}); not to be compared with a floor of ours."
    )
    return "\n".join(lines)


def _floor_rows(report: LikelihoodReport) -> list[list[str]]:
    """The noise floor and each model's distance from it; nothing where no split has a floor."""
    floors = [facts.floor for facts in report.splits.values()]
    if not any(floors):
        return []
    rows = [[FLOOR_ROW, *(number(floor and floor.mean.value, 3) for floor in floors)]]
    for model in report.models:
        above = [_cell("above_floor", model.splits[name]) for name in report.splits]
        rows.append([f"{model.name} above floor", *above])
    return rows


def _published(kind: str, splits: list[str]) -> list[str]:
    """The published figures of a kind of model, dashes where there is none."""
    values = ROBOT_PUSHING.get(kind, {})
    return [number(values.get(name), 2) for name in splits]


def moving_mnist_text(report: LikelihoodReport) -> str:
    """Nats per frame of the splits that are Moving MNIST, the published ones in a column of their
    own; '' where none is.

    >>> from pixelpush.eval.likelihood.settings import EvalProtocol
    >>> facts = SplitFacts("mnist", MOVING_MNIST, None, 2, 2, 0, True, 20, 81920, None)
    >>> report = LikelihoodReport(EvalProtocol(), [], None, {"test": facts})
    >>> moving_mnist_text(report).splitlines()[0].split()
    ['Moving', 'MNIST', 'nats/frame', 'published', 'nats/frame']
    """
    splits = [name for name, facts in report.splits.items() if facts.source == MOVING_MNIST]
    if not splits:
        return ""
    metric = find_metric("nats_per_frame")
    rows = [
        [f"{name}, {split}", metric.cell(summaries[split].figures[metric.name]), MISSING]
        for name, summaries in report.rows(REFERENCE_ROW)
        for split in splits
    ]
    ours = len(rows)
    rows += [
        [f"{name}, test", MISSING, metric.cell(nats)]
        for name, nats in MOVING_MNIST_NATS_PER_FRAME.items()
    ]
    # The published loss takes a grey value for the probability of white: without this line the rows
    # would mislead.
    note = (
        f"published ({MOVING_MNIST_SOURCE}), binary cross-entropy of grey values, "
        "10 frames after 10 given; ours are exact, of 256 levels: another scale."
    )
    header = ["Moving MNIST", metric.header, f"published {metric.header}"]
    return "\n".join([text_table(header, rows, rule_before=[ours]), note])


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
