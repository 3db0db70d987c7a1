"""Likelihood of image models: one table per data set, and Tables 1 and 3 beside the published
figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixelpush.eval import published
from pixelpush.eval.report import number, text_table, with_error

# What each kind is called in the papers' tables.
NAMES = {
    "pixelcnn": "PixelCNN",
    "gated-pixelcnn": "Gated PixelCNN",
    "pixelcnn++": "PixelCNN++",
    "row-lstm": "Row LSTM",
    "diagonal-bilstm": "Diagonal BiLSTM",
    "multiscale-pixelrnn": "Multi-Scale PixelRNN",
    "multiscale-pixelcnn": "Multiscale PixelCNN",
}
COLUMNS = {"train": "Tr", "val": "Val", "test": "Ts"}


def scores_text(report: dict[str, Any]) -> str:
    """One row per model and split; the published figures of the data set below."""
    rows = []
    for entry in report["models"]:
        for split, score in entry["splits"].items():
            part = (
                ""
                if score["whole_split"]
                else f" (first {score['images']} of {score['images_in_split']})"
            )
            rows.append(
                [
                    f"{entry['name']} ({NAMES[entry['kind']]}, {entry['parameters'] / 1e6:.2f}M), "
                    f"{split}{part}",
                    number(score["nats_per_image"], 2),
                    with_error(score["nats_per_subpixel"], score["standard_error"]),
                    number(score["bits_per_dimension"], 4),
                ]
            )
    ours = len(rows)
    rows += published_rows(report["data"])
    return text_table(
        ["", "nats/image", "nats/sub-pixel", "bits/dim"], rows, [ours] if len(rows) > ours else []
    )


def published_rows(data: str) -> list[list[str]]:
    """Published figures of a data set as rows of ``scores_text``."""
    if data.startswith("cifar10"):
        source, bits = published.CIFAR10_SOURCE, published.CIFAR10_BITS
        return [
            [f"{name}, test ({source})", "-", "-", f"{value:.2f}"] for name, value in bits.items()
        ]
    if data.startswith("mnist"):
        source, nats = published.BINARY_MNIST_SOURCE, published.BINARY_MNIST_NATS
        return [
            [f"{name}, test ({source})", f"{value:.1f}", "-", "-"] for name, value in nats.items()
        ]
    return []


def table1_text(reports: Sequence[dict[str, Any]]) -> str:
    """Reed et al. 2017, Table 1: nats per sub-pixel on CUB, MPII and COCO, ours above the published
    rows."""
    tables = []
    for report in reports:
        data = report["data"].partition(":")[0]
        theirs = published.CONDITIONAL_NATS.get(data)
        if theirs is None:
            continue
        rows = [
            [e["name"], *(_cell(e["splits"].get(split)) for split in COLUMNS)]
            for e in report["models"]
        ]
        ours = len(rows)
        rows += [
            [name, *(number(values.get(split), 2) for split in COLUMNS)]
            for name, values in theirs.items()
        ]
        sizes = sorted({entry["image_size"] for entry in report["models"]})
        head = f"{data.upper()} ({', '.join(f'{s}x{s}' for s in sizes)})"
        tables.append(text_table([head, *COLUMNS.values()], rows, [ours]))
    return "\n\n".join(tables)


def table3_text(reports: Sequence[dict[str, Any]]) -> str:
    """Reed et al. 2017, Table 3: bits per sub-pixel on ImageNet at 32, 64 and 128, ours above the
    published rows."""
    sizes = (32, 64, 128)
    rows = []
    for report in reports:
        if "imagenet" not in report["data"]:
            continue
        for entry in report["models"]:
            for split, score in entry["splits"].items():
                cells = [
                    number(score["bits_per_dimension"], 3) if entry["image_size"] == s else "-"
                    for s in sizes
                ]
                rows.append([f"{entry['name']}, {split} of {report['data']}", *cells])
    ours = len(rows)
    rows += [
        [n, *(number(bits.get(s), 2) for s in sizes)] for n, bits in published.IMAGENET_BITS.items()
    ]
    return text_table(["bits per sub-pixel", *map(str, sizes)], rows, [ours] if ours else [])


def _cell(score: dict[str, Any] | None) -> str:
    return number(None if score is None else score["nats_per_subpixel"], 3)
