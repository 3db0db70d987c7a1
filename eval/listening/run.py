"""Carry out ``pixelpush listen``."""

from __future__ import annotations

from pathlib import Path

from pixelpush.eval.clips import Scoring, read_episodes
from pixelpush.eval.devices import pick_device
from pixelpush.eval.likelihood.runs import agreed_facts, open_split, split_names
from pixelpush.eval.listening.measure import all_lies, listen
from pixelpush.eval.listening.report import listening_figure, listening_json, listening_text
from pixelpush.eval.watching import WatchSettings
from pixelpush.files import write_json
from pixelpush.progress import Progress
from pixelpush.vpn import load_model


def run(
    name: str,
    data: str,
    split: str,
    settings: WatchSettings,
    shift: int,
    outputs: tuple[Path | None, Path | None],
    progress: Progress,
) -> None:
    """Tell a saved model the truth and lies about its actions; print what the lies cost.

    outputs: a JSON file and a figure, None for none."""
    facts = agreed_facts([name], data, settings.context, settings.clip_frames)
    device = pick_device(settings.device)
    model = load_model(name, device)
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
    if json is not None:
        write_json(json, {**listening_json(found, short), "data": facts.data, "split": chosen})
    if figure is not None:
        listening_figure(found, episodes[0].frames[len(episodes[0].frames) // 2], figure)
    print(listening_text(found, f"{short} on {facts.data}/{chosen}"))
