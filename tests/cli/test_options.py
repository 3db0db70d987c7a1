"""Every option of every command reaches the packages; an option that is parsed and ignored fails.

tests/eval/test_settings_are_read.py goes on from there: the packages read every setting."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from flat_options import build, change, nested

from pixelpush.cli import COMMANDS, main
from pixelpush.training.config import TrainConfig
from pixelpush.training.options import PresetChanges

# What each command calls, and options with which it gets there.
ENTRIES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "demo": (["pixelpush.eval.demo.run_demo"], {}),
    "train": (
        ["pixelpush.eval.rollout.training.train_with_strips"],
        {"preset": "push-ot-small", "data": "sim", "run": Path("run")},
    ),
    "presets": (
        ["pixelpush.eval.presets.presets_text", "pixelpush.eval.presets.preset_text"],
        {},
    ),
    "nll": (["pixelpush.eval.likelihood.run.score_models"], {"model": "a"}),
    "rollout": (
        [
            "pixelpush.eval.rollout.run.prepare",
            "pixelpush.eval.rollout.run.roll_out_folder",
            "pixelpush.eval.rollout.run.roll_out_episodes",
        ],
        {"model": "a", "out": Path("out")},
    ),
    "sample": (
        ["pixelpush.eval.images.sample.draw_picture"],
        {"model": "a", "out": Path("a.png")},
    ),
    "speed": (
        [
            "pixelpush.eval.speed.run.time_image_models",
            "pixelpush.eval.speed.run.time_video_models",
        ],
        {},
    ),
    "doctor": (["pixelpush.doctor.print_page"], {}),
    "curves": (["pixelpush.eval.curves.draw_curves"], {"runs": (Path("run"),)}),
    "export": (["pixelpush.eval.export.export_model"], {"model": "a", "to": Path("shared")}),
    "listen": (["pixelpush.eval.listening.run.run"], {"model": "a"}),
    "surprise": (["pixelpush.eval.surprise.run.run"], {"model": "a", "out": Path("out")}),
    "compress": (["pixelpush.eval.coding.run.compress"], {"model": "a", "out": Path("a.pp")}),
    "decompress": (
        ["pixelpush.eval.coding.run.decompress"],
        {"file": Path("a.pp"), "out": Path("out")},
    ),
    "drive": (["pixelpush.eval.driving.commands.drive"], {}),
    "plan": (
        [
            "pixelpush.eval.planning.commands.plan_tasks",
            "pixelpush.eval.planning.commands.plan_folder",
        ],
        {"out": Path("out")},
    ),
    "inspect": (["pixelpush.datasets.inspection.run.inspect_named"], {"data": "sim"}),
}
# What commands refuse before they load anything; what is asked for here does not exist.
CHECKS = (
    "pixelpush.eval.likelihood.runs.check_request",
    "pixelpush.eval.likelihood.runs.check_scoring",
    "pixelpush.training.request.check_training",
)
_POSITIONAL = (
    ("train", "preset"),
    ("presets", "name"),
    ("curves", "runs"),
    ("export", "model"),
    ("doctor", "runs"),
    ("decompress", "file"),
    ("inspect", "data"),
)
# Where no other value of the type will do. The value may need other options beside it.
OTHERS: dict[tuple[str, str], dict[str, Any]] = {
    ("nll", "models"): {"model": "", "models": ("b", "c")},
    ("presets", "name"): {"name": "push-ot-small"},
    ("nll", "figure"): {"figure": Path("other.png")},
    ("speed", "figure"): {"figure": Path("other.png")},
    ("rollout", "folder"): {"folder": Path("given")},
    ("rollout", "lpips"): {"lpips": Path("lpips.pth")},
    ("rollout", "fvd"): {"fvd": Path("i3d.pt")},
    ("rollout", "actions"): {"actions": Path("push.csv")},
    ("curves", "out"): {"out": Path("other.png")},
    ("train", "track"): {"track": ("wandb",)},
    ("drive", "temperature"): {"temperature": 0.7},
    ("plan", "temperature"): {"temperature": 0.7},
    ("plan", "point"): {"folder": Path("given"), "point": (1.0, 2.0)},
    ("plan", "goal"): {"folder": Path("given"), "goal": (1.0, 2.0)},
    ("plan", "goal_picture"): {"folder": Path("given"), "goal_picture": Path("goal.png")},
    ("train", "settings"): {"settings": ("channels=48",)},
    ("listen", "figure"): {"figure": Path("other.png")},
}


def options_class(command: str) -> type:
    """The one parameter of the command's function."""
    function = COMMANDS[command]
    (name,) = inspect.signature(function).parameters
    return get_type_hints(function)[name]


def leaves(cls: Any) -> Iterator[tuple[type, str]]:
    """(class, field) of every option that can be typed."""
    parts = nested(cls)
    for field in dataclasses.fields(cls):
        if field.name in parts:
            yield from leaves(parts[field.name])
        else:
            yield cls, field.name


def another(cls: type, name: str, value: Any) -> Any:
    """A value of the field's type other than ``value``."""
    hint = get_type_hints(cls)[name]
    choices = [hint]
    if get_origin(hint) in (Union, types.UnionType):
        choices = [choice for choice in get_args(hint) if choice is not type(None)]
    for choice in choices:
        if get_origin(choice) is Literal:
            return next(word for word in get_args(choice) if word != value)
        if get_origin(choice) is tuple and get_origin(get_args(choice)[0]) is Literal:
            return get_args(get_args(choice)[0])[:1]
        if get_origin(choice) is tuple:
            return tuple(another_of(get_args(choice)[0], item) for item in value or (None,))
        return another_of(choice, value)
    raise AssertionError(f"no other value of {hint} is known")


def another_of(kind: type, value: Any) -> Any:
    if kind is bool:
        return not value
    if kind is float:
        return (value or 0.0) / 2 + 0.25
    if kind is int:
        return (value or 0) + 1
    if kind is str:
        return f"{value or ''}other"
    assert kind is Path, f"no other value of {kind} is known"
    return Path(f"{value or ''}other")


def calls(command: str, options: Any, monkeypatch) -> list[Any]:
    """What the command hands to the packages."""
    seen: list[Any] = []

    def recorder(target: str):
        def record(*args: Any, **keywords: Any) -> int:
            seen.append((target, args, keywords))
            return 0

        return record

    for check in CHECKS:
        monkeypatch.setattr(check, lambda *_, **__: None)
    for target in ENTRIES[command][0]:
        monkeypatch.setattr(target, recorder(target))
    COMMANDS[command](options)
    return seen


@pytest.mark.parametrize(
    ("command", "owner", "name"),
    [
        (command, owner, name)
        for command in COMMANDS
        if command != "prepare"
        for owner, name in leaves(options_class(command))
    ],
)
def test_every_option_reaches_the_packages(command, owner, name, monkeypatch):
    base = build(options_class(command), **ENTRIES[command][1])
    held = next(part for part in walk(base) if type(part) is owner)
    changes = OTHERS.get((command, name)) or {name: another(owner, name, getattr(held, name))}
    first = calls(command, base, monkeypatch)
    assert first, "the command called none of its entries"
    assert first == calls(command, base, monkeypatch)
    assert first != calls(command, change(base, **changes), monkeypatch)


def walk(options: Any) -> Iterator[Any]:
    yield options
    for part in nested(type(options)):
        yield from walk(getattr(options, part))


def test_every_command_is_looked_at():
    assert set(ENTRIES) | {"prepare"} == set(COMMANDS)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(PresetChanges)])
def test_every_change_changes_the_configuration(name: str):
    base = TrainConfig(8, 100)
    before = {field: value for part in walk_config(base) for field, value in vars(part).items()}
    value = another(PresetChanges, name, before[name])
    after = PresetChanges(**{name: value}).applied_to(base)
    found = [vars(part)[name] for part in walk_config(after) if name in vars(part)]
    assert found == [value]


def walk_config(config: TrainConfig) -> list[Any]:
    return [config, config.optimizer, config.schedule, config.data]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "prepare"])
def test_every_option_is_in_the_help(command: str, capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert ">>>" not in shown, "an example for programmers is in the help"
    spelled = {"settings": "set", "splits": "split"}
    spelled |= {"labels": "label", "captions": "caption", "parts": "part", "uses": "use"}
    for _, name in leaves(options_class(command)):
        if (command, name) in _POSITIONAL:
            continue  # positional
        assert f"--{spelled.get(name, name).replace('_', '-')}" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "push-ot-small", "--data", "d", "--run", "r", "--workers", "0"], "workers must"),
        (["rollout", "--model", "m", "--out", "o", "--samples", "0"], "--samples must be at least"),
        (["speed", "--videos", "0"], "--videos must be at least 1, got 0"),
        (["sample", "--model", "m", "--out", "o.png", "--rows", "0"], "--rows must be at least 1"),
        (["nll"], "give one model with --model"),
        (["prepare"], "name a source"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said.startswith("pixelpush: ")
    assert said.count("\n") == 1
    assert message in said
