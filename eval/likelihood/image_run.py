"""Carry out ``pixelpush nll`` for image models: score, listen, write, print."""

from __future__ import annotations

from collections.abc import Sequence

from pixelpush.datasets.image_sets import open_images
from pixelpush.datasets.objects.names import SPLITS as OBJECTS_SPLITS
from pixelpush.datasets.objects.names import is_objects
from pixelpush.errors import InputError
from pixelpush.eval.devices import pick_device
from pixelpush.eval.images.conditions import Listening, listen
from pixelpush.eval.images.report import (
    conditions_json,
    conditions_text,
    image_figure,
    shares_text,
)
from pixelpush.eval.likelihood.image_tables import scores_text, table1_text, table3_text
from pixelpush.eval.likelihood.images import evaluate_images
from pixelpush.eval.likelihood.outputs import Outputs
from pixelpush.eval.likelihood.runs import agreed_facts
from pixelpush.eval.likelihood.settings import ScoringSettings
from pixelpush.files import write_json
from pixelpush.vpn import load_model

LISTENED = 200  # images whose conditions are tried where no number is given


def score_image_models(
    names: Sequence[str],
    data: str,
    splits: Sequence[str],
    settings: ScoringSettings,
    outputs: Outputs,
) -> None:
    """Score saved image models and print the tables.

    data: '' for what the models were trained on. splits: empty for the usual ones. Raises
    InputError where something asked for does not fit."""
    for option, value in (("--context", settings.context), ("--clip-frames", settings.clip_frames)):
        if value is not None:
            raise InputError(
                f"{option} is for video models; {names[0]} is an image model, leave it out."
            )
    if settings.protocol != "episodes":
        raise InputError(
            f"--protocol is for video models; {names[0]} is an image model, leave it out."
        )
    data = data or agreed_facts(names).data
    chosen = splits or (OBJECTS_SPLITS[1:] if is_objects(data) else ("test",))
    report = evaluate_images(names, data, chosen, settings, outputs.progress)
    heard = [_listen(name, data, chosen[0], settings) for name in names if outputs.conditions]
    if outputs.json is not None:
        listened = {"conditions": [conditions_json(found) for found in heard]} if heard else {}
        write_json(outputs.json, {**report.to_json(), **listened})
    texts = [scores_text(report), table1_text([report])]
    if "imagenet" in data:
        texts.append(table3_text([report]))
    first = report.models[0]
    parts = next(iter(first.splits.values())).shares
    texts += [shares_text(first.name, parts)] if parts else []
    texts += [conditions_text(found) for found in heard]
    if outputs.figure is not None:
        from pixelpush.eval.likelihood.figure import image_likelihood_figure

        image_likelihood_figure(report, outputs.figure)
        if parts or heard:
            second = outputs.figure.with_stem(f"{outputs.figure.stem}-nats")
            image_figure(second, parts, heard[0] if heard else None, first.name)
    print("\n\n".join(text for text in texts if text))


def _listen(name: str, data: str, split: str, settings: ScoringSettings) -> Listening:
    model = load_model(name, pick_device(settings.device), family="image")
    images = open_images(data, split, size=model.config.image_size)
    return listen(model, images, name, settings.episodes or LISTENED, settings.batch_size or 32)
