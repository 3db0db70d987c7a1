"""Carry out ``pixelpush surprise``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pixelpush.datasets import is_simulated
from pixelpush.datasets.episodes import Episode
from pixelpush.eval.clips import Scoring, pixel_nats, read_episodes
from pixelpush.eval.devices import pick_device
from pixelpush.eval.likelihood.runs import agreed_facts, open_split, split_names
from pixelpush.eval.surprise.disturbances import DISTURBANCES
from pixelpush.eval.surprise.report import (
    Watched,
    roc_figure,
    roc_text,
    strangest_moments,
    write_csv,
    write_strips,
    write_video,
)
from pixelpush.eval.surprise.roc import roc
from pixelpush.eval.surprise.settings import SurpriseSettings
from pixelpush.eval.surprise.usual import Usual, learn_usual
from pixelpush.eval.text import text_table
from pixelpush.eval.watching import WatchSettings
from pixelpush.files import write_json
from pixelpush.progress import Progress
from pixelpush.vpn import VideoPixelNetwork, load_model


@dataclass(frozen=True)
class Ready:
    """A loaded model, how it scores, and the episodes that say what is usual.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> Ready(model, Scoring(), usual_data="sim", usual_episodes=[]).scoring.context
    2
    """

    model: VideoPixelNetwork
    scoring: Scoring
    usual_data: str
    usual_episodes: Sequence[Episode]


def run(
    name: str,
    data: str,
    split: str,
    out: Path,
    watching: WatchSettings,
    settings: SurpriseSettings,
    progress: Progress,
) -> None:
    """Watch a split: surprise.csv, strangest.png, videos of the strangest episodes; and the ROC.

    >>> from pixelpush.progress import silent
    >>> settings = SurpriseSettings()
    >>> run("nowhere", "", "", Path("strange"), WatchSettings(), settings, silent)
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped one ...
    """
    facts = agreed_facts([name], data, watching.context, watching.clip_frames)
    usual_data = settings.usual_data or agreed_facts([name]).data
    device = pick_device(watching.device)
    model = load_model(name, device, family="video")
    size = model.config.frame_size
    ready = Ready(
        model,
        Scoring(facts.context, facts.clip_frames, watching.batch_size, device),
        usual_data,
        read_episodes(open_split(usual_data, settings.usual_split, size), settings.usual_episodes),
    )
    chosen = split or split_names(facts.data)[-1]
    episodes = read_episodes(open_split(facts.data, chosen, size), watching.episodes)
    with progress(2, "scoring") as advance:
        nats = pixel_nats(model, ready.usual_episodes, ready.scoring)
        usual = learn_usual(nats, model.config.colours, ready.scoring, settings.regions)
        threshold = usual.threshold(settings.false_alarms)
        advance(1)
        watched = _watch(ready, usual, episodes)
        advance(1)
    _write(out, watched, threshold, settings)
    print(_text(watched, threshold, f"{facts.data}/{chosen}", settings))
    if settings.roc:
        _measure_roc(ready, out, settings, watching.episodes, progress)


def _watch(ready: Ready, usual: Usual, episodes: Sequence[Episode]) -> list[Watched]:
    nats = pixel_nats(ready.model, episodes, ready.scoring)
    return [
        Watched(episode, pixels, usual.score(pixels))
        for episode, pixels in zip(episodes, nats, strict=True)
    ]


def _write(
    out: Path, watched: Sequence[Watched], threshold: float, settings: SurpriseSettings
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "surprise.csv", watched, threshold)
    write_strips(out / "strangest.png", watched, settings.strips)
    order = sorted(watched, key=lambda item: -max(frame.score for frame in item.frames))
    for place, item in enumerate(order[: settings.videos]):
        write_video(out / f"strange-{place}.mp4", item, threshold)


def _text(
    watched: Sequence[Watched], threshold: float, name: str, settings: SurpriseSettings
) -> str:
    frames = [frame for item in watched for frame in item.frames]
    alarms = sum(frame.score > threshold for frame in frames)
    rows = [
        [
            f"{item.episode.id}, frame {item.frames[index].frame}",
            f"{item.frames[index].nats:.3f}",
            f"{item.frames[index].score:.1f}",
            f"{item.frames[index].p_value:.4f}",
            "{}, {}".format(*item.frames[index].strangest),
        ]
        for item, index in strangest_moments(watched, settings.strips)
    ]
    header = ["strangest moments", "nats/sub-pixel", "score", "p", "region (row, column)"]
    return (
        f"{text_table(header, rows)}\n{name}: {alarms} of {len(frames)} frames alarm; "
        f"{settings.false_alarms:.2%} would on frames like those of {settings.usual_split}"
    )


def _measure_roc(
    ready: Ready, out: Path, settings: SurpriseSettings, episodes: int, progress: Progress
) -> None:
    unlike = {}
    if is_simulated(ready.usual_data):
        size = ready.model.config.frame_size
        seen, novel = (
            read_episodes(open_split(ready.usual_data, split, size), episodes)
            for split in ("test-seen", "test-novel")
        )
        unlike = {"held-out arm": (seen, None), "novel objects": (novel, seen)}
    with progress(len(unlike) + len(DISTURBANCES), "disturbing") as advance:
        report = roc(
            ready.model,
            ready.usual_episodes,
            unlike,
            ready.scoring,
            settings.false_alarms,
            settings.regions,
            progress=advance,
        )
    write_json(out / "roc.json", asdict(report))
    roc_figure(report, out / "roc.png")
    print(roc_text(report))
