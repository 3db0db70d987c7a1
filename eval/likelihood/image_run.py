"""Carry out ``pixelpush nll`` for image models: score, listen, write, print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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
from pixelpush.eval.images.scales import Share
from pixelpush.eval.likelihood.figure import image_likelihood_figure
from pixelpush.eval.likelihood.image_tables import scores_text, table1_text, table3_text
from pixelpush.eval.likelihood.images import ImageReport, evaluate_images
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
    InputError where something asked for does not fit.

    >>> asked = ScoringSettings(context=2)
    >>> score_image_models(["objects-multiscale"], "", [], asked, Outputs())
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --context is for video models; objects-multiscale is an ...
    """
    _refuse_video_options(names[0], settings)
    data = data or agreed_facts(names).data
    chosen = splits or (OBJECTS_SPLITS[1:] if is_objects(data) else ("test",))
    report = evaluate_images(names, data, chosen, settings, outputs.progress)
    heard = [_listen(name, data, chosen[0], settings) for name in names if outputs.conditions]
    if outputs.json is not None:
        listened = {"conditions": [conditions_json(found) for found in heard]} if heard else {}
        write_json(outputs.json, {**report.to_json(), **listened})
    if outputs.figure is not None:
        _draw(report, heard, outputs.figure)
    texts = [scores_text(report), table1_text([report])]
    texts += [table3_text([report])] if "imagenet" in data else []
    parts = _first_shares(report)
    texts += [shares_text(report.models[0].name, parts)] if parts else []
    texts += [conditions_text(found) for found in heard]
    print("\n\n".join(text for text in texts if text))


def _refuse_video_options(name: str, settings: ScoringSettings) -> None:
    asked = {
        "--context": settings.context is not None,
        "--clip-frames": settings.clip_frames is not None,
        "--protocol": settings.protocol != "episodes",
    }
    for option in (option for option, given in asked.items() if given):
        raise InputError(f"{option} is for video models; {name} is an image model, leave it out.")


def _first_shares(report: ImageReport) -> Sequence[Share]:
    """Where the nats of the first model are, on its first split; empty for a model of one scale."""
    return next(iter(report.models[0].splits.values())).shares


def _draw(report: ImageReport, heard: Sequence[Listening], path: Path) -> None:
    """The likelihood figure and, where there is something to show, one of scales and conditions."""
    image_likelihood_figure(report, path)
    parts = _first_shares(report)
    if parts or heard:
        second = path.with_stem(f"{path.stem}-nats")
        image_figure(second, parts, heard[0] if heard else None, report.models[0].name)


def _listen(name: str, data: str, split: str, settings: ScoringSettings) -> Listening:
    model = load_model(name, pick_device(settings.device), family="image")
    images = open_images(data, split, size=model.config.image_size)
    return listen(model, images, name, settings.episodes or LISTENED, settings.batch_size or 32)
