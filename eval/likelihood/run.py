"""Carry out ``pixelpush nll``: load the models, open the splits, score, write, print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.errors import InputError
from pixelpush.eval.calibration import Calibration, calibration
from pixelpush.eval.clips import read_episodes
from pixelpush.eval.devices import pick_device
from pixelpush.eval.likelihood.figure import likelihood_figure
from pixelpush.eval.likelihood.image_run import score_image_models
from pixelpush.eval.likelihood.outputs import Outputs
from pixelpush.eval.likelihood.report import LikelihoodReport
from pixelpush.eval.likelihood.runs import agreed_facts, open_split, usual_splits
from pixelpush.eval.likelihood.sequences import CONTEXT, SEQUENCE_FRAMES, Sequences
from pixelpush.eval.likelihood.settings import EvalProtocol, ScoringSettings
from pixelpush.eval.likelihood.tables import (
    moving_mnist_text,
    protocol_line,
    split_text,
    table2_text,
)
from pixelpush.eval.likelihood.videos import TableRow, evaluate, row_names
from pixelpush.files import write_json
from pixelpush.progress import Progress
from pixelpush.saved import find_saved
from pixelpush.vpn import load_model

# Few, because the whole distribution of every sub-pixel is computed: it costs as much as coding.
CALIBRATED_EPISODES = 4


def score_models(
    names: Sequence[str],
    data: str,
    splits: Sequence[str],
    settings: ScoringSettings,
    outputs: Outputs,
) -> None:
    """Score saved models of one family and print the tables.

    data: '' for what the models were trained on. splits: empty for the usual ones. Raises
    InputError where something asked for does not fit.

    >>> score_models(["nowhere"], "sim", ["val"], ScoringSettings(), Outputs())
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped ...
    >>> asked = Outputs(conditions=True)
    >>> score_models(["push-ot-small"], "sim", ["val"], ScoringSettings(), asked)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --conditions is for image models; push-ot-small is a video ...
    """
    if find_saved(names[0]).family == "image":
        score_image_models(names, data, splits, settings, outputs)
    else:
        if outputs.conditions:
            raise InputError(
                f"--conditions is for image models; {names[0]} is a video model: 'pixelpush "
                "listen' tells what its actions are worth."
            )
        _score_video_models(names, data, splits, settings, outputs)


def _score_video_models(
    names: Sequence[str],
    data: str,
    splits: Sequence[str],
    settings: ScoringSettings,
    outputs: Outputs,
) -> None:
    device = pick_device(settings.device)  # before anything is made or loaded for it
    settings = _papers(settings) if settings.protocol == "paper" else settings
    facts = agreed_facts(names, data, settings.context, settings.clip_frames)
    rows = _load_rows(names)
    size = rows[0].model.config.frame_size
    chosen = list(splits) or usual_splits(facts.data, outputs.side_by_side)
    opened = {name: open_split(facts.data, name, size) for name in chosen}
    training = None
    if settings.reference:
        training = open_split(facts.data, settings.reference_split, size)
    if settings.protocol == "paper":
        opened = {name: Sequences(split) for name, split in opened.items()}
        training = None if training is None else Sequences(training)
    protocol = EvalProtocol(
        context=facts.context,
        clip_frames=facts.clip_frames,
        precision=settings.precision,
        device=device,
        batch_size=settings.video_batch(device),
        sequences=settings.protocol,
    )
    report = replace(
        evaluate(rows, opened, protocol, training, settings.episodes, outputs.progress),
        data=facts.data,
        reference_split=settings.reference_split if settings.reference else None,
    )
    if outputs.json is not None:
        write_json(outputs.json, report.to_json())
    if outputs.figure is not None:
        calibrated = _calibration(rows[0], opened[chosen[-1]], protocol, outputs.progress)
        likelihood_figure(report, outputs.figure, calibrated)
    _print_video_report(report, outputs.side_by_side)


def _papers(settings: ScoringSettings) -> ScoringSettings:
    """The settings with the papers' context and length."""
    for option, given in (("context", settings.context), ("clip-frames", settings.clip_frames)):
        if given is not None:
            raise InputError(
                f"--{option} {given}: --protocol paper has {CONTEXT} frames of context in "
                f"sequences of {SEQUENCE_FRAMES}; leave one of the two out."
            )
    return replace(settings, context=CONTEXT, clip_frames=SEQUENCE_FRAMES)


def _calibration(
    row: TableRow, split: EpisodeDataset, protocol: EvalProtocol, progress: Progress
) -> Calibration:
    """The figure's rank histogram: of the first model, on the split's first episodes."""
    episodes = read_episodes(split, CALIBRATED_EPISODES)
    with progress(len(episodes), "calibration") as advance:
        return calibration(
            row.model, episodes, protocol.context, protocol.clip_frames, progress=advance
        )


def _print_video_report(report: LikelihoodReport, side_by_side: bool) -> None:
    texts = [table2_text(report)]
    if not side_by_side:
        texts = [split_text(report, name) for name in report.splits]
    texts += [moving_mnist_text(report), protocol_line(report)]
    print("\n\n".join(text for text in texts if text))


def _load_rows(names: Sequence[str]) -> list[TableRow]:
    models = [load_model(name, family="video") for name in names]
    rows = [
        TableRow(short, model.config.kind, model)
        for short, model in zip(row_names(names), models, strict=True)
    ]
    sizes = {row.name: row.model.config.frame_size for row in rows}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        raise InputError(
            f"the models' frames differ in size ({listed}); a table needs one size; score them "
            "one by one with --model."
        )
    return rows
