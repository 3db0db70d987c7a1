"""The commands ``nll``, ``rollout`` and ``demo``: options, and what they do. Light: torch is
imported on a call."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from pixelpush.errors import InputError
from pixelpush.saved import find_saved

if TYPE_CHECKING:
    import numpy as np

    from pixelpush.eval.film import Film
    from pixelpush.eval.likelihood import Scored
    from pixelpush.eval.rollouts import RolloutSettings
    from pixelpush.vpn import VideoPixelNetwork, VideoUpscaler

Device = Literal["auto", "cpu", "cuda", "mps"]
Splits = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="split", metavar="SPLIT")
]


@dataclass(frozen=True)
class NllOptions:
    """Options of ``pixelpush nll``."""

    model: str = ""
    """Run folder, saved model or name of a shipped one."""
    models: tuple[str, ...] = ()
    """Several of them instead: Table 2, a row for each, beside the published one."""
    data: str = ""
    """Data set: 'sim', the name of a prepared one, or a store's folder. Left out: what the model
    was trained on. Image models: the image set, as NAME or NAME:FOLDER; it must be given."""
    splits: Splits = ()
    """Split to score; repeat for more. Left out: every split but train with --model, every split
    with --models; image models: test."""
    reference: bool = True
    """Video models: fit and print the reference row, a logistic mixture around the previous frame's
    same sub-pixel."""
    reference_split: str = "train"
    """Split on which the reference row is fitted."""
    episodes: int | None = None
    """Score only this many first episodes (or images) of each split; the output says that it is not
    the whole split."""
    context: int | None = None
    """Video models: frames given and not counted. Left out: as in training."""
    clip_frames: int | None = None
    """Video models: longer episodes are cut into clips of this many frames, each with its own
    context. Left out: the run's 20."""
    batch_size: int = 16
    """Episodes or images scored at once; the result does not depend on it."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    precision: Literal["32", "bf16"] = "32"
    """Arithmetic of the network: float32, or bfloat16 (autocast). Likelihoods are float32 and sums
    float64 in both."""
    json: Path | None = None
    """Write everything, per-episode values included, to this file (docs/evaluation.md has the
    schema)."""
    figure: Path | None = None
    """Video models: draw splits and the curve over frames into this PNG, PDF or SVG file."""
    quiet: bool = False
    """No progress bar."""


def nll(options: Annotated[NllOptions, tyro.conf.arg(name="")]) -> None:
    """Exact negative log-likelihood of whole splits, beside the reference row and the noise floor
    where it is known.

    Image models: of whole splits of an image set, beside the published figures.
    """
    check_outputs(options.json, options.figure)
    for name in ("episodes", "batch_size"):
        count = getattr(options, name)
        if count is not None and count < 1:
            raise InputError(f"--{name.replace('_', '-')} must be at least 1, got {count}.")
    names = [options.model] if options.model else list(options.models)
    if not names or (options.model and options.models):
        raise InputError("give one model with --model, or several with --models.")
    if len(set(names)) != len(names):
        raise InputError(f"--models names {next(n for n in names if names.count(n) > 1)!r} twice.")
    if find_saved(names[0]).family == "image":
        from pixelpush.eval.image_commands import image_nll

        return image_nll(options, names)

    from pixelpush.eval.likelihood import Protocol, evaluate
    from pixelpush.eval.runs import agreed_facts, open_split, split_names
    from pixelpush.eval.tables import (
        likelihood_figure,
        moving_mnist_text,
        protocol_line,
        split_text,
        table2_text,
    )
    from pixelpush.files import write_json

    facts = agreed_facts(names, options.data, options.context, options.clip_frames)
    rows = _load_rows(names)
    size = rows[0].model.config.frame_size
    chosen = options.splits or tuple(
        n for n in split_names(facts.data) if options.models or n != "train"
    )
    splits = {name: open_split(facts.data, name, size) for name in chosen}
    training = open_split(facts.data, options.reference_split, size) if options.reference else None
    protocol = Protocol(
        facts.context,
        facts.clip_frames,
        options.precision,
        pick_device(options.device),
        options.batch_size,
    )
    report = evaluate(
        rows, splits, protocol, training, options.episodes, None if options.quiet else progress_bar
    )
    report["data"] = facts.data
    report["reference_split"] = options.reference_split if options.reference else None
    if options.json is not None:
        write_json(options.json, report)
    if options.figure is not None:
        likelihood_figure(report, options.figure)
    texts = (
        [table2_text(report)] if options.models else [split_text(report, name) for name in chosen]
    )
    texts += [moving_mnist_text(report), protocol_line(report)]
    print("\n\n".join(text for text in texts if text))


@dataclass(frozen=True)
class RolloutOptions:
    """Options of ``pixelpush rollout``."""

    model: str
    """Run folder, saved model or name of a shipped one."""
    out: Path
    """Folder for the MP4s, the film strips (PNG), the arrays (NPZ) and rollout.json."""
    data: str = ""
    """Data set: 'sim', the name of a prepared one, or a store's folder. Left out: what the model
    was trained on."""
    split: str = ""
    """Split. Left out: the data's last one (test, or test-novel)."""
    episodes: tuple[int, ...] = (0,)
    """Numbers of the episodes in the split, from 0."""
    folder: Path | None = None
    """Instead of data: a folder with the first frames, states.csv and actions.csv
    (docs/evaluation.md)."""
    samples: int = 3
    """Futures for each episode."""
    seed: int = 0
    """The same seed gives the same files."""
    temperature: float = 1.0
    """Below 1: more cautious samples; 1: the model's own distribution."""
    steps: int | None = None
    """Frames to sample. Left out: 18, or what the episode or the list of actions has."""
    context: int | None = None
    """Frames given. Left out: as in training."""
    states: Literal["recorded", "predicted"] = "recorded"
    """Future states of recorded episodes: given to the model, as in the papers, or predicted by it
    from the actions."""
    upscale: int = 0
    """Also render the futures at this many pixels (128, 256) by video super-resolution: a second
    MP4 and strip."""
    upscalers: tuple[str, ...] = ()
    """Runs or saved models of the 2x steps, in order. Left out: the shipped push-upscale-128 and
    push-upscale-256."""
    quality: bool = False
    """Measure PSNR, SSIM and best-of-N against the truth over the horizon: quality.json and
    quality.png."""
    frames_per_second: int = 5
    """Speed of the MP4s."""
    batch_size: int = 16
    """Futures sampled at once."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    quiet: bool = False
    """No progress bar."""


def rollout(options: Annotated[RolloutOptions, tyro.conf.arg(name="")]) -> None:
    """Sample futures of given frames and actions: MP4, film strip, arrays."""
    if not 1 <= options.frames_per_second <= 120:
        raise InputError(f"--frames-per-second must be 1 to 120, got {options.frames_per_second}.")
    if not options.episodes:
        raise InputError("--episodes: give at least one number of an episode, from 0.")
    if options.folder is not None and (options.data or options.split or options.quality):
        raise InputError(
            "--folder takes the place of --data and --split, and has no truth for --quality."
        )

    from pixelpush.eval.rollouts import RolloutSettings
    from pixelpush.eval.runs import run_facts
    from pixelpush.files import write_json
    from pixelpush.vpn import load_model

    settings = RolloutSettings(
        samples=options.samples,
        seed=options.seed,
        temperature=options.temperature,
        steps=options.steps,
        context=run_facts(options.model).context if options.context is None else options.context,
        states=options.states,
        batch_size=options.batch_size,
        device=pick_device(options.device),
    )
    model = load_model(options.model, settings.device)
    about = (
        f"{Path(options.model).name}  ·  seed {settings.seed}  ·  temperature "
        f"{settings.temperature:g}"
    )
    described = (_roll_out_folder if options.folder else _roll_out_episodes)(
        options, model, settings, about
    )
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(
        options.out / "rollout.json", {"format": "pixelpush-rollout", "version": 1, **described}
    )
    for entry in described["rollouts"]:
        print("  ".join(str(options.out / name) for name in entry["files"].values()))


def _roll_out_episodes(
    options: RolloutOptions, model: VideoPixelNetwork, settings: RolloutSettings, about: str
) -> dict[str, Any]:
    from pixelpush.datasets import is_simulated, open_dataset
    from pixelpush.eval.quality import episode_quality, quality_figure, summarise_quality
    from pixelpush.eval.rollouts import describe_rollout, file_stem, rollout_episode, write_rollout
    from pixelpush.eval.runs import agreed_facts, open_split, split_names
    from pixelpush.eval.upscaled import load_upscalers
    from pixelpush.files import write_json

    data = agreed_facts([options.model], options.data).data
    split = options.split or split_names(data)[-1]
    episodes = open_split(data, split, model.config.frame_size)
    # Before anything is simulated at the large size, which takes minutes.
    for number in options.episodes:
        if not 0 <= number < len(episodes):
            raise InputError(
                f"--episodes {number}: {episodes.name} has episodes 0 to {len(episodes) - 1}."
            )
    upscalers = load_upscalers(
        options.upscalers, model.config.frame_size, options.upscale, settings.device
    )
    large = None
    if upscalers and is_simulated(data):  # only the episodes asked for are drawn large
        large = open_dataset(data, split, size=options.upscale, episodes=max(options.episodes) + 1)
    described, curves = [], []
    with _bar(options.quiet)(len(options.episodes), "rollouts") as bar:
        for number in options.episodes:
            episode = episodes[number]
            title = f"{episodes.name} {number} ({episode.id})  ·  {about}"
            film, futures = rollout_episode(model, episode, number, settings, title)
            stem = file_stem(number, episode.id)
            files = write_rollout(options.out, stem, film, futures, options.frames_per_second)
            if upscalers:
                truth = None if large is None else large[number].frames
                files |= _write_larger(options, film, upscalers, truth, settings, number, stem)
            entry = {
                "episode": number,
                "id": episode.id,
                **describe_rollout(film, futures, files, settings),
            }
            described.append(entry)
            if options.quality and film.truth is not None:
                curves.append(episode_quality(film.given, film.truth, futures.frames))
            bar.update(1)
    if curves:
        about_data = {
            "model": Path(options.model).name,
            "data": data,
            "split": split,
            "states": settings.states,
        }
        sampling = {"temperature": settings.temperature, "seed": settings.seed}
        summary = {**about_data, **sampling, **summarise_quality(curves, settings.samples)}
        write_json(options.out / "quality.json", summary)
        quality_figure(summary, options.out / "quality.png", settings.context)
    return {"model": options.model, "data": data, "split": split, "rollouts": described}


def _roll_out_folder(
    options: RolloutOptions, model: VideoPixelNetwork, settings: RolloutSettings, about: str
) -> dict[str, Any]:
    from pixelpush.eval.beginning import read_beginning
    from pixelpush.eval.rollouts import (
        describe_rollout,
        file_stem,
        rollout_beginning,
        write_rollout,
    )
    from pixelpush.eval.upscaled import load_upscalers

    folder = options.folder
    assert folder is not None
    upscalers = load_upscalers(
        options.upscalers, model.config.frame_size, options.upscale, settings.device
    )
    beginning = read_beginning(folder, model.config, settings.context, settings.steps)
    film, futures = rollout_beginning(model, *beginning, settings, f"{folder.name}  ·  {about}")
    stem = file_stem(0, folder.resolve().name)
    files = write_rollout(options.out, stem, film, futures, options.frames_per_second)
    if upscalers:
        files |= _write_larger(options, film, upscalers, None, settings, 0, stem)
    entry = {"id": folder.name, **describe_rollout(film, futures, files, settings)}
    return {"model": options.model, "folder": str(folder), "rollouts": [entry]}


def _write_larger(
    options: RolloutOptions,
    film: Film,
    upscalers: list[VideoUpscaler],
    truth: np.ndarray | None,
    settings: RolloutSettings,
    number: int,
    stem: str,
) -> dict[str, str]:
    from pixelpush.eval.rollouts import write_film
    from pixelpush.eval.upscaled import upscale_film

    larger = upscale_film(film, upscalers, truth, settings.seed, number, settings.device)
    return write_film(
        options.out, f"{stem}-{options.upscale}", larger, options.frames_per_second, "large_"
    )


@dataclass(frozen=True)
class DemoOptions:
    """Options of ``pixelpush demo``."""

    out: Path = Path("demo")
    """Folder for everything the demo makes."""
    small: bool = False
    """A smaller setting, for a quick check: fewer and smaller episodes, less training."""
    seed: int = 0
    """Seed of training and sampling."""
    device: Device = "cpu"
    """Where to compute."""


def demo(options: Annotated[DemoOptions, tyro.conf.arg(name="")]) -> None:
    """The whole path in a few minutes: simulated pushing, a model, its likelihood table, sampled
    futures as MP4."""
    from pixelpush.eval.demo import run_demo

    run_demo(
        options.out, small=options.small, seed=options.seed, device=pick_device(options.device)
    )


def pick_device(name: Device) -> Literal["cpu", "cuda", "mps"]:
    """'auto' becomes what there is; a device that is not there is refused."""
    import torch

    there: dict[Literal["cpu", "cuda", "mps"], bool] = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise InputError(f"no {name} device is visible; use --device cpu.")
    return name


def progress_bar(total: int, name: str) -> Any:
    """A bar on stderr that vanishes when done."""
    from tqdm import tqdm

    return tqdm(total=total, desc=name, leave=False, dynamic_ncols=True, file=sys.stderr)


def check_outputs(json: Path | None, figure: Path | None) -> None:
    """Refuse outputs that could not be written before hours are spent on them."""
    if figure is not None and figure.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(f"--figure {figure}: the name must end in .png, .pdf or .svg.")
    for path in (json, figure):
        if path is not None and path.is_dir():
            raise InputError(f"{path}: is a folder; give a file name.")


def _bar(quiet: bool) -> Any:
    from pixelpush.eval.likelihood import Silent

    return Silent() if quiet else progress_bar


def _load_rows(names: list[str]) -> list[Scored]:
    from pixelpush.eval.likelihood import Scored, row_names
    from pixelpush.vpn import load_model

    models = [load_model(name) for name in names]
    rows = [
        Scored(short, model.config.kind, model)
        for short, model in zip(row_names(names), models, strict=True)
    ]
    sizes = {row.name: row.model.config.frame_size for row in rows}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        raise InputError(f"the models' frames differ in size ({listed}); a table needs one size.")
    return rows
