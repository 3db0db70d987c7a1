"""What 'pixelpush prepare ...' runs: raw recordings in, a store out. Nothing heavy is imported
before a call.

Every command writes into a folder that appears only when whole, says what it left out, and refuses
an existing output unless told to overwrite it (which then happens at the very end)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pixelpush.datasets.episodes import Episode
    from pixelpush.datasets.tfrecord import DamageLog


def prepare_google_push(
    raw: Path,
    out: Path | None = None,
    size: int = 64,
    preprocess: Literal["crop", "squash"] = "crop",
    min_frames: int = 2,
    damage_limit: int = 20,
    allow_missing: bool = False,
    overwrite: bool = False,
) -> None:
    """Prepare the Google robot pushing data set from its public TFRecords.

    Args:
        raw: Folder with the files push_{train,testseen,testnovel}.tfrecord-XXXXX-of-YYYYY, in
        sub-folders or not. out: Folder of the new store; by default google-push under the data root
        ($PIXELPUSH_DATA). size: Height and width of the frames, in pixels. preprocess: crop takes
        the centre 512x512 and averages it down; squash averages the whole 640x512 picture.
        min_frames: Episodes with fewer frames are left out, and counted. damage_limit: So many
        damaged records are named and skipped; one more is an error. allow_missing: Accept an
        evaluation split of which only some files are there. overwrite: Replace an existing store.
    """
    import os

    from pixelpush.datasets.frames import check_size
    from pixelpush.datasets.google_push import Tally, find_shards, read_episodes

    check_size(size)
    out = _output(out, "google-push", overwrite)
    log = _damage_log(damage_limit)
    shards = find_shards(raw, allow_missing)
    tallies = {split: Tally() for split in shards}
    splits = {
        split: read_episodes(
            paths,
            log,
            tallies[split],
            size=size,
            preprocess=preprocess,
            min_frames=min_frames,
            threads=min(8, os.cpu_count() or 1),
        )
        for split, paths in shards.items()
    }
    metadata = {
        "source": "google-push",
        "preprocess": f"{preprocess}, area filter to {size}x{size}",
        "state": "endeffector/vec_pitch_yaw",
        "action": "commanded_pose/vec_pitch_yaw",
        "min_frames": min_frames,
        "files": {split: [path.name for path in paths] for split, paths in shards.items()},
    }

    def left_out() -> dict[str, Any]:
        return {
            "moves_without_image": {
                split: tally.moves_without_image for split, tally in tallies.items()
            },
            "episodes_too_short": {split: tally.too_short for split, tally in tallies.items()},
            "damaged_records": [str(damage) for damage in log.found],
        }

    _write(out, splits, metadata, left_out, overwrite)


def prepare_bair(
    raw: Path,
    out: Path | None = None,
    size: int = 64,
    view: Literal["aux1", "main"] = "aux1",
    validation: Literal["held-out", "none"] = "held-out",
    damage_limit: int = 20,
    overwrite: bool = False,
) -> None:
    """Prepare BAIR robot pushing (small) from its original TFRecords or from a folder made by TFDS.

    Args:
        raw: Folder with train/traj_*.tfrecords and test/..., or with TFDS's
        bair_robot_pushing_small-* files. out: Folder of the new store; by default bair under the
        data root ($PIXELPUSH_DATA). size: Height and width of the frames, in pixels; 64 keeps them
        as they are. view: Camera; aux1 is the one that published figures use. validation: held-out
        keeps traj_256_to_511 (from TFDS: the first 256 train episodes) from training. damage_limit:
        So many damaged records are named and skipped; one more is an error. overwrite: Replace an
        existing store.
    """
    from pixelpush.datasets.bair import find_files, split_episodes
    from pixelpush.datasets.frames import check_size

    check_size(size)
    out = _output(out, "bair", overwrite)
    log = _damage_log(damage_limit)
    files = find_files(raw)
    splits = split_episodes(files, log, size=size, view=view, validation=validation)
    metadata = {
        "source": "bair_robot_pushing_small",
        "preprocess": f"image_{view}" + ("" if size == 64 else f", resized to {size}x{size}"),
        "state": "endeffector_pos",
        "action": "action",
        "validation": validation,
        "files": {split: len(paths) for split, paths in files.items()},
    }
    _write(
        out,
        splits,
        metadata,
        lambda: {"damaged_records": [str(damage) for damage in log.found]},
        overwrite,
    )


def prepare_folder(
    raw: Path,
    out: Path | None = None,
    size: int = 64,
    crop: Literal["centre", "none"] = "centre",
    resize: Literal["auto", "area", "bicubic"] = "auto",
    frames_key: str | None = None,
    table: str | None = None,
    state_columns: str = "",
    action_columns: str = "",
    states_key: str = "states",
    actions_key: str = "actions",
    states: Literal["table", "none"] = "table",
    actions: Literal["table", "next-state", "none"] = "table",
    bgr: bool = False,
    mirror_states: str = "",
    mirror_actions: str = "",
    split: str | None = None,
    split_seed: int | None = None,
    min_frames: int = 2,
    overwrite: bool = False,
) -> None:
    """Prepare your own recordings: one sub-folder, .zip or .npz per episode (docs/data.md shows the
    layout).

    Args:
        raw: Folder with the episodes; a splits.json in it decides the splits unless --split is
        given. out: Folder of the new store; by default one called like RAW under the data root
        ($PIXELPUSH_DATA). size: Height and width of the frames, in pixels. crop: centre takes the
        largest centred square; none squashes the whole picture. resize: area averages (for
        shrinking), bicubic interpolates (for enlarging), auto takes the one that suits. frames_key:
        Pattern of the frames' file names, like 'left_*.png', or the name of the array in a .npz.
        table: Pattern of the file with states and actions, like 'robot_*.csv'. state_columns:
        Columns of the state, like 'x,y,z,pitch,yaw'; by default those called state_*.
        action_columns: Columns of the action; by default those called action_*. states_key: Array
        of the states in a .npz. actions_key: Array of the actions in a .npz. states: none: the
        recordings have no states. actions: next-state takes the next frame's state as the action
        (the last one repeats); none: no actions. bgr: Arrays of frames hold blue, green, red.
        mirror_states: Entries of the state, from 0, that change sign when pictures are mirrored
        left to right, like
            '1,4', or none. Given with --mirror-actions, the store can be trained on with --mirror.
        mirror_actions: The same of the action. split: Episodes of train/val/test, as counts like
        48/8/8 or shares; 0.8/0.1/0.1 if there is no splits.json. split_seed: Draw the order of
        episodes from this seed before splitting; by default it is the order of names. min_frames:
        Episodes with fewer frames are left out, and counted. overwrite: Replace an existing store.
    """
    from dataclasses import asdict

    from pixelpush.datasets.folder import FolderOptions, episode_name, find_episodes
    from pixelpush.datasets.frames import check_size

    check_size(size)
    options = FolderOptions(
        size=size,
        crop=crop,
        resize=resize,
        frames_key=frames_key,
        table=table,
        state_columns=_names(state_columns),
        action_columns=_names(action_columns),
        states_key=states_key,
        actions_key=actions_key,
        states=states,
        actions=actions,
        bgr=bgr,
        mirror_states=_entries(mirror_states, "--mirror-states"),
        mirror_actions=_entries(mirror_actions, "--mirror-actions"),
    )
    out = _output(out, raw.resolve().stem, overwrite)
    paths = {episode_name(path): path for path in find_episodes(raw)}
    chosen, how = _folder_splits(raw, list(paths), split, split_seed)
    too_short: list[str] = []
    splits = {
        name: _folder_episodes(
            [paths[member] for member in members], options, min_frames, too_short
        )
        for name, members in chosen.items()
    }
    metadata = {
        "source": "folder",
        "actions": {
            "table": "as recorded",
            "next-state": "not recorded: the next frame's state stands in, the last repeats",
            "none": "none",
        }[actions],
        "options": asdict(options),
        "splits": how,
        "min_frames": min_frames,
        "mirror": None
        if options.mirror_states is None
        else [options.mirror_states, options.mirror_actions],
    }
    listed = sum(len(members) for members in chosen.values())

    def left_out() -> dict[str, Any]:
        return {"episodes_too_short": too_short, "episodes_in_no_split": len(paths) - listed}

    _write(out, splits, metadata, left_out, overwrite, total=listed)


def prepare_moving_mnist(
    raw: Path,
    out: Path | None = None,
    train: int = 10_000,
    val: int = 1_000,
    test: int = 10_000,
    seed: int = 0,
    overwrite: bool = False,
) -> None:
    """Prepare Moving MNIST: two digits bouncing over 64x64, 20 frames, drawn from MNIST's idx
    files.

    Args:
        raw: Folder with MNIST's idx files (gzipped or not).
        out: Folder of the new store; by default moving-mnist under the data root ($PIXELPUSH_DATA).
        train: Training sequences, from the first 55,000 training digits.
        val: Validation sequences, from the last 5,000 training digits.
        test: Test sequences, from the test digits; 10,000 is the standard protocol.
        seed: The sequences are a pure function of it.
        overwrite: Replace an existing store.
    """
    from pixelpush.datasets.moving_mnist import split_sequences
    from pixelpush.errors import InputError

    counts = {"train": train, "val": val, "test": test}
    if min(counts.values()) < 0 or sum(counts.values()) == 0:
        raise InputError(f"numbers of sequences must be 0 or more, and not all 0; got {counts}.")
    out = _output(out, "moving-mnist", overwrite)
    splits = split_sequences(raw, counts, seed)
    metadata = {"source": "moving-mnist", "digits": 2, "frames": 20, "seed": seed}
    _write(out, splits, metadata, dict, overwrite, total=sum(counts.values()))


def _output(out: Path | None, name: str, overwrite: bool) -> Path:
    from pixelpush.datasets.registry import data_root
    from pixelpush.datasets.store import refuse_existing

    path = data_root() / name if out is None else out.expanduser()
    refuse_existing(path, overwrite)  # before the work, not after it
    return path


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _entries(text: str, option: str) -> tuple[int, ...] | None:
    """'1,4' -> (1, 4), 'none' -> (), '' -> None."""
    from pixelpush.errors import InputError

    if not text:
        return None
    parts = [] if text == "none" else text.split(",")
    if not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise InputError(f"{option} {text}: give numbers of entries, from 0, like '1,4', or none.")
    return tuple(int(part) for part in parts)


def _damage_log(limit: int) -> DamageLog:
    from tqdm import tqdm

    from pixelpush.datasets.tfrecord import DamageLog

    return DamageLog(limit, report=lambda line: tqdm.write(line, file=sys.stderr))


def _folder_splits(
    raw: Path, names: list[str], split: str | None, seed: int | None
) -> tuple[Mapping[str, list[str]], str]:
    """Episode names by split, and in words how they came about."""
    from pixelpush.datasets.arrays import read_bytes
    from pixelpush.datasets.splits import listed_splits, split_names
    from pixelpush.datasets.tables import parse_json

    manifest = raw / "splits.json"
    if split is None and manifest.is_file():
        return listed_splits(
            parse_json(read_bytes(manifest), str(manifest)), names, str(manifest)
        ), "splits.json"
    split = split or "0.8/0.1/0.1"
    order = "in name order" if seed is None else f"in an order drawn from seed {seed}"
    return split_names(names, split, seed), f"{split} {order}"


def _folder_episodes(
    paths: list[Path], options: Any, min_frames: int, too_short: list[str]
) -> Iterable[Episode]:
    from pixelpush.datasets.folder import read_episode

    for path in paths:
        episode = read_episode(path, options)
        if len(episode.frames) < min_frames:
            too_short.append(episode.id)
        else:
            yield episode


def _write(
    out: Path,
    splits: Mapping[str, Iterable[Episode]],
    metadata: Mapping[str, Any],
    left_out: Any,
    overwrite: bool,
    total: int | None = None,
) -> None:
    """Write the store with a progress bar, then say what is in it and what was left out."""
    from tqdm import tqdm

    from pixelpush.datasets.store import summary, write_store

    with tqdm(total=total, unit="episode", disable=None) as bar:

        def progress(episode: Episode) -> None:
            bar.update()

        write_store(
            out, splits, metadata, left_out=left_out, overwrite=overwrite, progress=progress
        )
    print(summary(out))
    for what, which in left_out().items():
        if which and (not isinstance(which, dict) or any(which.values())):
            print(f"  left out, {what.replace('_', ' ')}: {_brief(which)}")


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} ({', '.join(value[:3])}{', ...' if len(value) > 3 else ''})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return str(value)
