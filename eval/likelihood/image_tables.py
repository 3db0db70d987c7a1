"""Likelihood of image models: one table per data set, and Tables 1 and 3 beside the published
figures."""

from __future__ import annotations

from collections.abc import Sequence

from pixelpush import published
from pixelpush.eval.likelihood.images import ImageModelScores, ImageReport
from pixelpush.eval.likelihood.metrics import (
    HEADLINE,
    find_metric,
    metric_table_columns,
    metrics_of,
)
from pixelpush.eval.likelihood.tables import COLUMNS
from pixelpush.eval.statistics import Ratio
from pixelpush.eval.text import MISSING, number, text_table
from pixelpush.image.kind_list import KINDS

SPLITS = ("train", "val", "test")


def scores_text(report: ImageReport) -> str:
    """One row per model and split; the published figures of the data set below.

    >>> from pixelpush.eval.likelihood.images import ImageSummary
    >>> from pixelpush.eval.likelihood.metrics import Scores, measure
    >>> found = ImageSummary(measure("image", Scores([2.0], [4], [1])), 1, 1, None)
    >>> model = ImageModelScores("a", "gated-pixelcnn", 8, 10**6, {"test": found})
    >>> print(scores_text(ImageReport("objects", [model], "32", "cpu")))
                                     nats/image  nats/sub-pixel  bits/dim
    ---------------------------------------------------------------------
    a (Gated PixelCNN, 1.00M), test        2.00          0.5000    0.7213
    """
    names: list[str] = []
    rows: list[dict[str, str]] = []
    for model in report.models:
        kind = KINDS[model.kind]
        about = f"{kind.label}, {model.parameters / 1e6:.2f}M{', a bound' if kind.bound else ''}"
        for split, found in model.splits.items():
            part = f" (first {found.images} of {found.images_in_split})"
            names.append(f"{model.name} ({about}), {split}{'' if found.whole_split else part}")
            rows.append(
                {
                    metric.name: metric.cell(found.figures[metric.name])
                    for metric in metrics_of("image")
                }
            )
    ours = len(rows)
    for name, figures in published_rows(report.data).items():
        names.append(name)
        dashes = {metric.name: MISSING for metric in metrics_of("image")}
        rows.append({**dashes, **figures})
    headers, cells = metric_table_columns("image", rows)
    named = [[name, *line] for name, line in zip(names, cells, strict=True)]
    return text_table(["", *headers], named, [ours] if len(rows) > ours else [])


def published_rows(data: str) -> dict[str, dict[str, str]]:
    """Published figures of a data set: for each model, cells by the metric's name.

    >>> published_rows("mnist:raw")["PixelCNN, test (van den Oord et al. 2016a)"]
    {'nats_per_image': '81.3'}
    """
    if data.startswith("cifar10"):
        return {
            f"{name}, test ({published.CIFAR10_SOURCE})": {"bits_per_dimension": f"{bits:.2f}"}
            for name, bits in published.CIFAR10_BITS.items()
        }
    if data.startswith("mnist"):
        return {
            f"{name}, test ({published.BINARY_MNIST_SOURCE})": {"nats_per_image": f"{nats:.1f}"}
            for name, nats in published.BINARY_MNIST_NATS.items()
        }
    return {}


def table1_text(reports: Sequence[ImageReport]) -> str:
    """Reed et al. 2017, Table 1: nats per sub-pixel on CUB, MPII and COCO, ours above the published
    rows.

    >>> model = ImageModelScores("a", "gated-pixelcnn", 32, 10**6, {})
    >>> print(table1_text([ImageReport("cub", [model], "32", "cpu")]).splitlines()[0])
    CUB (32x32)            Tr   Val    Ts
    """
    tables = []
    for report in reports:
        data = report.data.partition(":")[0]
        theirs = published.CONDITIONAL_NATS.get(data)
        if theirs is None:
            continue
        rows = [
            [model.name, *(_cell(model, split, HEADLINE) for split in SPLITS)]
            for model in report.models
        ]
        ours = len(rows)
        rows += [
            [name, *(number(values.get(split), 2) for split in SPLITS)]
            for name, values in theirs.items()
        ]
        sizes = sorted({model.image_size for model in report.models})
        head = f"{data.upper()} ({', '.join(f'{size}x{size}' for size in sizes)})"
        tables.append(text_table([head, *(COLUMNS[split] for split in SPLITS)], rows, [ours]))
    return "\n\n".join(tables)


def table3_text(reports: Sequence[ImageReport]) -> str:
    """Reed et al. 2017, Table 3: bits per sub-pixel on ImageNet at 32, 64 and 128, ours above the
    published rows.

    >>> table3_text([]).splitlines()[0].split()
    ['bits', 'per', 'sub-pixel', '32', '64', '128']
    """
    sizes = (32, 64, 128)
    rows = []
    for report in reports:
        if "imagenet" not in report.data:
            continue
        for model in report.models:
            for split in model.splits:
                bits = _cell(model, split, "bits_per_dimension")
                cells = [bits if model.image_size == size else MISSING for size in sizes]
                rows.append([f"{model.name}, {split} of {report.data}", *cells])
    ours = len(rows)
    rows += [
        [name, *(number(bits.get(size), 2) for size in sizes)]
        for name, bits in published.IMAGENET_BITS.items()
    ]
    return text_table(["bits per sub-pixel", *map(str, sizes)], rows, [ours] if ours else [])


def _cell(model: ImageModelScores, split: str, name: str) -> str:
    """A metric's value with three digits and without its error, as the papers print it."""
    found = model.splits.get(split)
    if found is None:
        return MISSING
    metric = find_metric(name)
    figure = found.figures[name]
    return metric.cell(figure.value if isinstance(figure, Ratio) else figure, digits=3)
