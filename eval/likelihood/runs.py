"""The facts that a trained run records: its data and its protocol; and opening that data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pixelpush.datasets import is_simulated, open_dataset
from pixelpush.datasets.description import read_description
from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.datasets.registry import count_episodes, find_store
from pixelpush.datasets.schema import Schema
from pixelpush.datasets.sim.versions import of_another_version
from pixelpush.datasets.store import store_splits
from pixelpush.errors import InputError
from pixelpush.files import read_json_object
from pixelpush.saved import find_saved

POSE = 5  # numbers of a state and of an action in the simulated bin
_SIM_SPLITS = ("train", "val", "test-seen", "test-novel")


@dataclass(frozen=True)
class RunFacts:
    """data: name or path of the training data, '' where it is not recorded. context, clip_frames:
    of validation. metadata: the training data's, as their store has it.

    >>> RunFacts("sim", context=2, clip_frames=20).metadata
    {}
    """

    data: str
    context: int
    clip_frames: int
    metadata: Mapping[str, Any] = field(default_factory=dict)


def run_facts(name_or_path: str) -> RunFacts:
    """Read the config.json of a run, of the run that a save belongs to, or beside shipped
    weights.

    >>> facts = run_facts("push-ot-small")
    >>> facts.data, facts.context, facts.clip_frames
    ('sim', 2, 20)
    """
    path, config = _run_config(name_or_path)
    try:
        train = config.get("train", {}).get("data", {})
        return RunFacts(
            str(config.get("data") or ""),
            int(train.get("context", 2)),
            int(train.get("scored_frames", 20)),
            (config.get("notes") or {}).get("metadata") or {},
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: the run's configuration is damaged ({error}); restore the file, or use "
            "another save."
        ) from None


def _run_config(name_or_path: str) -> tuple[Path | None, Any]:
    """The path of config.json and what it holds; None and {} where there is none."""
    folder = find_saved(name_or_path).folder
    # A save lies in RUN/checkpoints/NUMBER, a run's configuration in RUN.
    candidates = [folder / "config.json", folder.parent.parent / "config.json"]
    path = next((path for path in candidates if path.is_file()), None)
    return path, {} if path is None else read_json_object(path)


def trained_on_another_bin(name_or_path: str) -> bool:
    """Whether a run was trained on the simulated bin as another version makes it.

    >>> trained_on_another_bin("objects-multiscale")
    False
    """
    path, config = _run_config(name_or_path)
    try:
        return of_another_version(config)
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: the run's configuration is damaged ({error}); restore the file, or use "
            "another save."
        ) from None


def _refuse_another_bin(name: str) -> None:
    """Refuse to score a model of another version's frames on this version's."""
    if trained_on_another_bin(name):
        _, config = _run_config(name)
        raise InputError(
            f"{name}: was trained on another version of the simulated bin than this program makes, "
            "so its figures would mean nothing; train it anew with 'pixelpush train "
            f"{config.get('preset') or 'PRESET'} --data {config['data']} --run RUN'."
        )


def agreed_facts(
    names: Sequence[str], data: str = "", context: int | None = None, clip_frames: int | None = None
) -> RunFacts:
    """What several runs agree on; given values (not '' or None) override theirs.

    Raises InputError naming what differs, for a given context or clip length below 1, and for the
    simulated bin with a model that another version of it trained.

    >>> agreed_facts(["push-ot-small"], data="robot", context=3).context
    3
    >>> agreed_facts(["push-ot-small"], context=0)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --context must be at least 1, got 0.
    """
    for option, count in (("--context", context), ("--clip-frames", clip_frames)):
        if count is not None and count < 1:
            raise InputError(f"{option} must be at least 1, got {count}.")
    facts = [run_facts(name) for name in names]

    def agreed(field: str, given: Any) -> Any:
        if given:
            return given
        values = [getattr(fact, field) for fact in facts]
        if len(set(values)) > 1 or values[0] == "":
            listed = ", ".join(
                f"{name}: {value or 'not recorded'}"
                for name, value in zip(names, values, strict=True)
            )
            raise InputError(
                f"the runs record no common {field} ({listed}); give --{field.replace('_', '-')}."
            )
        return values[0]

    found = RunFacts(
        agreed("data", data), agreed("context", context), agreed("clip_frames", clip_frames)
    )
    if is_simulated(found.data):
        for name in names:
            _refuse_another_bin(name)
    return found


def open_split(data: str, split: str, frame_size: int) -> EpisodeDataset:
    """A split, at the model's frame size where the data can be had at any.

    >>> open_split("nowhere", "val", frame_size=64)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: no dataset 'nowhere': not a folder, and the known ones are ...
    """
    options = {"size": frame_size} if is_simulated(data) else {}
    episodes = open_dataset(data, split, **options)
    if len(episodes) == 0:
        raise InputError(f"{episodes.name}: this split has no episode; choose another.")
    return episodes


def split_names(data: str) -> list[str]:
    """The splits of a data set in the tables' order: train, val, then the tests.

    >>> split_names("sim")
    ['train', 'val', 'test-seen', 'test-novel']
    """
    if is_simulated(data):
        return list(_SIM_SPLITS)
    names = store_splits(find_store(data))
    known = [name for name in ("train", "val", "test", *_SIM_SPLITS[2:]) if name in names]
    return [*known, *(name for name in names if name not in known)]


def usual_splits(data: str, with_training: bool) -> list[str]:
    """The splits that are scored where none is named.

    >>> usual_splits("sim", with_training=False)
    ['val', 'test-seen', 'test-novel']
    """
    return [name for name in split_names(data) if with_training or name != "train"]


def check_request(
    model: str,
    data: str = "",
    split: str = "",
    numbers: Sequence[int] = (),
    usual: str = "",
) -> None:
    """Refuse a model, data set, split or episode that is not there, before torch is loaded and
    anything is simulated.

    data: '' for what the model was trained on. split: '' for ``usual``, or else the last one.
    numbers: of episodes. Raises InputError.

    >>> check_request("objects-multiscale")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: objects-multiscale: this command is for video models; it is ...
    """
    saved = find_saved(model)
    if saved.family != "video":
        raise InputError(f"{model}: this command is for video models; it is of {saved.family}s.")
    found = agreed_facts([model], data).data
    check_fit(model, saved.config, found)
    names = split_names(found)
    split = split or (usual if usual in names else names[-1])
    size = int(saved.config.get("frame_size", 64))
    count = count_episodes(found, split, size)
    for number in numbers:
        if not 0 <= number < count:
            raise InputError(
                f"--episodes {number}: {split} of {found} has episodes 0 to {count - 1}."
            )


def check_fit(model: str, config: Mapping[str, Any], data: str) -> None:
    """Refuse data whose frames, states or actions are not as long as a video model's. No torch.

    config: the model's. Raises InputError, which quotes both.

    >>> sizes = {"frame_size": 64, "colours": 3, "state_dim": 3, "action_dim": 3}
    >>> check_fit("mine", sizes, "sim")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: sim: frames 3x64x64, state 5, action 5, but mine takes frames ...
    """
    wanted = _taken(config)
    if wanted is None:
        return
    if is_simulated(data):  # rendered at the model's size
        there = Schema(3, wanted.height, wanted.width, POSE, POSE)
    else:
        there = read_description(find_store(data)).schema
    if there == wanted:
        return
    advice = "give data like those that it was trained on, or another model"
    if there == replace(wanted, height=there.height, width=there.width):
        advice = f"prepare the data again with --size {wanted.height}, or give another model"
    raise InputError(f"{data}: {there.in_words}, but {model} takes {wanted.in_words}; {advice}.")


def _taken(config: Mapping[str, Any]) -> Schema | None:
    """What a model's configuration says that it takes; None where it does not say all of it."""
    names = ("colours", "frame_size", "frame_size", "state_dim", "action_dim")
    sizes = [size for size in map(config.get, names) if isinstance(size, int)]
    return Schema(*sizes) if len(sizes) == len(names) else None


def check_scoring(models: Sequence[str], data: str, splits: Sequence[str]) -> None:
    """``check_request`` for every model and split; of an image model only that it is there.

    >>> check_scoring(["objects-multiscale"], "", [])
    >>> check_scoring(["nowhere"], "", [])
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped ...
    """
    for name in models:
        if find_saved(name).family == "video":
            for split in splits or ("",):
                check_request(name, data, split)
