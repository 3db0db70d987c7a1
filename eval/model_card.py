"""Model cards: the Hub's metadata header and a page that says what a model is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelpush.datasets.image_sets.registry import IMAGE_SETS
from pixelpush.files import read_json
from pixelpush.image.kind_list import KINDS
from pixelpush.saved import SavedModel

# The Hub's name of what a model does, by family.
PIPELINE = {
    "video": "image-to-video",
    "image": "unconditional-image-generation",
    "upscaler": "video-to-video",
    "pose": "image-feature-extraction",
}
# Beside the pipeline: what the Hub's users search for.
TAGS = {
    "video": ("video-prediction", "robotics"),
    "image": ("image-generation",),
    "upscaler": ("video-super-resolution", "robotics"),
    "pose": ("pose-estimation", "robotics"),
}
METRIC = "nats-per-subpixel"
_SCORE = "whole_validation_nats_per_subpixel"


def with_header(
    text: str, name: str, saved: SavedModel, config: Mapping[str, Any], figures: Mapping[str, Any]
) -> str:
    """A card with the Hub's metadata header in front; one that has a header is left alone.

    config: the run's config.json. figures: its final.json, {} where there is none.

    >>> saved = SavedModel(Path("run"), "video", {"kind": "ot", "frame_size": 64})
    >>> card = with_header("# mine", "mine", saved, {"data": "sim"}, {})
    >>> card.splitlines()[3]
    'pipeline_tag: "image-to-video"'
    """
    if text.startswith("---\n"):
        return text
    task = {"type": PIPELINE[saved.family]}
    data = data_name(config)
    header: dict[str, Any] = {
        "license": "apache-2.0",
        "library_name": "pixelpush",
        "pipeline_tag": task["type"],
        "tags": [*TAGS[saved.family], *_likelihood_tags(saved)],
        "datasets": [data] if data else [],
        "metrics": [METRIC],
    }
    if _SCORE in figures and data:
        metric = {
            "type": METRIC,
            "name": "nats per sub-pixel, validation split",
            "value": round(figures[_SCORE], 4),
        }
        result = {"task": task, "dataset": {"type": data, "name": data}, "metrics": [metric]}
        header["model-index"] = [{"name": name, "results": [result]}]
    # JSON is YAML.
    lines = [f"{key}: {json.dumps(value)}" for key, value in header.items()]
    return "\n".join(["---", *lines, "---", "", text])


def card_text(
    name: str, saved: SavedModel, config: Mapping[str, Any], figures: Mapping[str, Any]
) -> str:
    """A card's text from the run's records: facts only.

    >>> saved = SavedModel(Path("run"), "video", {"kind": "ot", "frame_size": 64})
    >>> card_text("mine", saved, {"data": "sim"}, {}).splitlines()[2]
    'A PixelPush model of kind `ot` for frames of 64x64 pixels (video).'
    """
    model = saved.config
    sides = model.get("frame_size") or model.get("image_size")
    train = config.get("train", {})
    data = data_name(config) or "not recorded"
    lines = [
        f"# {name}",
        "",
        f"A PixelPush model of kind `{model.get('kind', saved.family)}` for frames of "
        f"{sides}x{sides} pixels ({saved.family}).",
        "",
        "```python",
        "from pixelpush import load_model",
        f'model = load_model("hf://OWNER/{name}")  # or this folder',
        "```",
        "",
        f"- **Data**: {data}.",
        f"- **Training**: preset `{config.get('preset', 'not recorded')}`, "
        f"{figures.get('examples', train.get('examples', 'unknown'))} examples in batches of "
        f"{train.get('batch_size', 'unknown')}, seed {train.get('seed', 'unknown')}.",
    ]
    if "seconds" in figures:
        lines.append(f"- **Time**: {figures['seconds'] / 60:.1f} minutes of training steps.")
    if _SCORE in figures:
        lines.append(
            f"- **Validation**: {figures[_SCORE]:.4f} nats per sub-pixel on the whole split."
        )
    lines += [
        "- **Weights**: safetensors; no code is loaded with them.",
        "- **Limits**: not said by the run; look at rollouts before use.",
        "",
    ]
    return "\n".join(lines)


def _likelihood_tags(saved: SavedModel) -> tuple[str, ...]:
    """What holds of its likelihood: a pose reader has none, some kinds have a lower bound."""
    if saved.family == "pose":
        return ()
    if saved.family == "image" and KINDS.find(saved.config["kind"]).bound:
        return ("likelihood-bound",)
    return ("autoregressive", "exact-likelihood")


def data_name(config: Mapping[str, Any]) -> str:
    """The training data's name, without the folder of the machine that it lay on.

    >>> data_name({"data": "/home/me/stores/bin"}), data_name({"data": "mnist:/home/me/digits"})
    ('bin', 'mnist')
    """
    name = str(config.get("data") or "")
    # NAME:FOLDER of an image set; what follows the colon of others is a number of images.
    kind = name.partition(":")[0]
    return kind if kind in IMAGE_SETS else Path(name).name


def final_figures(run: Path) -> Mapping[str, Any]:
    """A run's final.json, {} where the run is not finished.

    >>> final_figures(Path("nowhere"))
    {}
    """
    path = run / "final.json"
    return read_json(path) if path.is_file() else {}
