"""Carry out ``pixelpush listen``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pixelpush.datasets import is_simulated
from pixelpush.errors import InputError
from pixelpush.eval.clips import Scoring, read_episodes
from pixelpush.eval.devices import pick_device
from pixelpush.eval.likelihood.runs import agreed_facts, open_split, split_names
from pixelpush.eval.listening.counterfactuals import Laboratory, some_pairs
from pixelpush.eval.listening.following import Following, following_text, measure_following
from pixelpush.eval.listening.measure import all_lies, listen
from pixelpush.eval.listening.report import listening_figure, listening_json, listening_text
from pixelpush.eval.watching import WatchSettings
from pixelpush.files import write_json
from pixelpush.progress import Progress
from pixelpush.vpn import VideoPixelNetwork, load_model


def run(
    name: str,
    data: str,
    split: str,
    settings: WatchSettings,
    shift: int,
    counterfactuals: int,
    outputs: tuple[Path | None, Path | None],
    progress: Progress,
) -> None:
    """Tell a saved model the truth and lies about its actions; print what the lies cost.

    outputs: a JSON file and a figure, None for none.

    >>> from pixelpush.progress import silent
    >>> run("nowhere", "", "", WatchSettings(), 3, 0, (None, None), silent)
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped one ...
    """
    facts = agreed_facts([name], data, settings.context, settings.clip_frames)
    if counterfactuals and not is_simulated(facts.data):
        raise InputError(
            f"--counterfactuals: {facts.data} is no simulated bin; only there is it known what "
            "other actions would have done; leave it out."
        )
    device = pick_device(settings.device)
    model = load_model(name, device, family="video")
    names = split_names(facts.data)
    chosen = split or ("val" if "val" in names else names[-1])
    episodes = read_episodes(
        open_split(facts.data, chosen, model.config.frame_size), settings.episodes
    )
    scoring = Scoring(facts.context, facts.clip_frames, settings.batch_size, device)
    with progress(len(all_lies(model.config.action_dim)), "listening") as advance:
        found = listen(model, episodes, scoring, shift, progress=advance)
    json, figure = outputs
    short = Path(name).name
    report = {**listening_json(found, short), "data": facts.data, "split": chosen}
    following = None
    if counterfactuals:
        following = _follow(model, facts.data.split(":")[0], counterfactuals, scoring, progress)
        report["counterfactuals"] = asdict(following)
    if json is not None:
        write_json(json, report)
    if figure is not None:
        listening_figure(found, episodes[0].frames[len(episodes[0].frames) // 2], figure)
    print(listening_text(found, f"{short} on {facts.data}/{chosen}"))
    if following is not None:
        print("\n" + following_text(following, short))


def _follow(
    model: VideoPixelNetwork, laboratory: str, count: int, scoring: Scoring, progress: Progress
) -> Following:
    """Simulate and score the first pairs of each kind, half and half."""
    simulated = Laboratory(laboratory, model.config.frame_size)
    pairs = some_pairs(count)
    with progress(2 * len(pairs), "counterfactuals") as advance:
        futures = []
        for pair in pairs:
            futures.append(simulated.futures(pair))
            advance(1)
        return measure_following(model, futures, scoring, progress=advance)
