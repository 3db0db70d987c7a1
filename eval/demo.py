"""The whole path in minutes: a little simulated data, a model, its likelihood beside reference and
floor, futures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pixelpush.datasets import open_dataset
from pixelpush.datasets.episodes import Episode, EpisodeDataset
from pixelpush.eval.demo_plan import Plan
from pixelpush.eval.devices import pick_device
from pixelpush.eval.likelihood.runs import trained_on_another_bin
from pixelpush.eval.likelihood.settings import EvalProtocol
from pixelpush.eval.likelihood.tables import protocol_line, split_text
from pixelpush.eval.likelihood.videos import TableRow, evaluate
from pixelpush.eval.rollout.mp4 import write_png
from pixelpush.eval.rollout.sampling import (
    file_stem,
    rollout_episode,
    write_pictures,
    write_rollout,
)
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.rollout.sheet import contact_sheet
from pixelpush.eval.rollout.super_resolution import load_upscalers, super_resolve
from pixelpush.eval.rollout.video import RolloutVideo
from pixelpush.files import write_json
from pixelpush.saved import SHIPPED
from pixelpush.settings import Device
from pixelpush.vpn import VideoPixelNetwork, load_model

# In the order of the rollouts: the shipped model whose futures are shown, and what the station
# shows. Both models are scored at both stations.
SHIPPED_MODELS = {"val": "push-otlogn-small", "test-seen": "push-otlogn-cameras-small"}
STATIONS = {
    "val": "a station of training, an episode of validation: what the model has learnt",
    "test-seen": "the held-out station: an arm and a camera that training never showed",
}


# Planned for at most three minutes on two cores, and for forty seconds.
FULL = Plan("full", {"train": 48, "val": 6, "test-seen": 6}, 240, 1.2, 4, 20, 3, 1, 256)
SMALL = Plan("small", {"train": 6, "val": 1, "test-seen": 1}, 16, 0.25, 2, 8, 1, 1)


def run_demo(out: Path, small: bool, seed: int, device: Device) -> None:
    """Write data, model, table and futures under ``out`` and say where they are. Existing steps are
    not repeated.

    >>> SMALL.episodes["train"], FULL.episodes["train"]  # episodes to train on, small or not
    (6, 48)
    """
    plan = SMALL if small else FULL
    begin = time.perf_counter()
    device = pick_device(device)

    def say(text: str) -> None:
        print(f"[{time.perf_counter() - begin:4.0f} s] {text}", flush=True)

    counts = ", ".join(f"{count} {split}" for split, count in plan.episodes.items())
    say(f"simulated pushing: {counts} episodes")
    data = {
        split: open_dataset("sim", split, size=64, episodes=count)
        for split, count in plan.episodes.items()
    }
    models = _models(out, data, plan, seed, device, say)
    say("scoring")
    rows = [TableRow(name, model.config.kind, model.to(device)) for name, model in models.items()]
    scored = {split: data[split] for split in STATIONS}
    report = evaluate(rows, scored, EvalProtocol(device=device), reference_data=data["train"])
    write_json(out / "nll.json", report.to_json())
    for split, words in STATIONS.items():
        print(f"\n{words[0].upper()}{words[1:]}.\n{split_text(report, split)}")
    print(f"{protocol_line(report)}")
    print(
        "reference row: logistic mixture around the previous frame; noise floor: no model can be "
        "better.\n"
    )
    shown: list[tuple[str, RolloutVideo]] = []
    settings = RolloutSettings(samples=plan.samples, seed=seed)
    for split, words in STATIONS.items():
        name = SHIPPED_MODELS[split] if len(models) > 1 else next(iter(models))
        say(f"futures of {name}, {words}")
        for number in range(plan.rollouts):
            video, files = _roll_out(out, models[name], name, data[split][number], number, settings)
            shown.append((words, video))
            print(f"         {out / files['mp4']}  {out / files['png']}")
    if plan.large and len(models) > 1:
        say(f"the first of these futures at {plan.large} pixels")
        files = _draw_large(out, data["val"][0].id, shown[0][1], plan.large, seed, device)
        print(f"         {out / files['mp4']}  {out / files['png']}")
    write_png(out / "summary.png", contact_sheet(shown, "PixelPush demo"))
    say(f"done. The picture of it: {out / 'summary.png'}; the table: {out / 'nll.json'}")
    print(_NEXT)


_NEXT = """
Next:
  pixelpush rollout --model push-otlogn-small --split val --episodes 0 1 2 --out out/rollouts
                                          futures of other episodes, with a page to look at them
  pixelpush prepare --raw DIR             your own recordings as a data set
  pixelpush presets                       what can be trained, on what, in which time
  pixelpush train push-ot-small --data sim --run runs/small"""


def _roll_out(
    out: Path,
    model: VideoPixelNetwork,
    name: str,
    episode: Episode,
    number: int,
    settings: RolloutSettings,
) -> tuple[RolloutVideo, dict[str, str]]:
    """Futures of one episode, and the names of their files."""
    title = f"{episode.id}  ·  {name}  ·  seed {settings.seed}"
    video, futures = rollout_episode(model, episode, number, settings, title)
    stem = file_stem(number, episode.id)
    return video, write_rollout(out, stem, video, futures, frames_per_second=5)


def _draw_large(
    out: Path, name: str, video: RolloutVideo, size: int, seed: int, device: str
) -> dict[str, str]:
    """The first sample of a validation episode, drawn larger by the shipped upscalers; the names of
    its files."""
    upscalers = load_upscalers((), video.given.shape[-1], size, device)
    truth = open_dataset("sim", "val", size=size, episodes=1)[0].frames
    one = replace(video, samples=video.samples[:1])
    large = super_resolve(one, upscalers, truth, seed, 0, device)
    return write_pictures(out, f"{file_stem(0, name)}-{size}", large, frames_per_second=5)


def _models(
    out: Path,
    data: dict[str, EpisodeDataset],
    plan: Plan,
    seed: int,
    device: Device,
    say: Callable[[str], None],
) -> dict[str, VideoPixelNetwork]:
    """The shipped models, or else one that is trained here for as long as a demo may take."""
    names = tuple(SHIPPED_MODELS.values())
    if all(map(_is_usable, names)):
        say(f"loading the shipped models {' and '.join(names)}")
        return {name: load_model(name, family="video") for name in names}
    # What needs no training loads no trainer.
    from pixelpush.eval.demo_training import train_demo_model

    run = out / f"run-{plan.name}"
    say(
        f"no shipped weights of this version; training {plan.preset} on {plan.clips} clips, at "
        f"most {60 * plan.minutes:.0f} s, into {run}"
    )
    return dict([train_demo_model(plan, data["train"], data["val"], run, seed, device)])


def _is_usable(name: str) -> bool:
    return (SHIPPED / name / "model.json").is_file() and not trained_on_another_bin(name)
