"""From the command line to settings: typed, and refused where unknown."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import tyro

from pixelpush.errors import InputError
from pixelpush.training.commands import TrainOptions, run_options, run_training, train_config
from pixelpush.training.config import DataConfig, OptimizerConfig, RunOptions, TrainConfig
from pixelpush.training.options import override, parse_settings, split_settings
from pixelpush.training.presets import PRESETS, find_preset


def parsed(*words: str) -> TrainOptions:
    return tyro.cli(TrainOptions, args=["push-ot-small", "--data", "d", "--run", "r", *words])


def test_options_reach_the_configuration():
    base = PRESETS["push-ot-small"].train
    assert train_config(base, parsed()) == base
    words = (
        "--examples 77 --batch-size 3 --learning-rate 0.5 --seed 9 --precision 32 --jitter 2 "
        "--colour 0.1 --mirror"
    )
    config = train_config(base, parsed(*words.split()))
    assert (config.examples, config.batch_size, config.seed, config.precision) == (77, 3, 9, "32")
    assert config.optimizer.learning_rate == 0.5
    assert config.optimizer.clip_norm == base.optimizer.clip_norm
    assert (config.data.jitter, config.data.colour, config.data.mirror) == (2, 0.1, True)
    runtime = run_options(
        parsed("--minutes", "3", "--devices", "2", "--nodes", "4", "--accumulate", "2", "--compile")
    )
    assert runtime == RunOptions(minutes=3.0, devices=2, nodes=4, accumulate=2, compile=True)


def test_every_option_is_documented():
    command = [
        sys.executable,
        "-c",
        "import tyro; from pixelpush.eval.train_command import train; tyro.cli(train)",
    ]
    text = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    for field in fields(TrainOptions):
        if field.name not in ("preset", "settings"):
            assert "--" + field.name.replace("_", "-") in text


def test_the_command_line_costs_no_torch():
    code = (
        "import sys, pixelpush.eval.train_command; print({'torch', 'cv2', 'lightning_fabric'} "
        "& sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_settings_are_parsed_and_sorted():
    options = parsed(
        "--set",
        "channels=48",
        "--set",
        "optimizer.clip_norm=2",
        "--set",
        "centred=False",
        "--set",
        "kind=ot",
    )
    settings = parse_settings(options.settings)
    assert settings == {"channels": 48, "optimizer.clip_norm": 2, "centred": False, "kind": "ot"}
    model, training = split_settings(settings)
    assert model == {"channels": 48, "centred": False, "kind": "ot"}
    config = override(TrainConfig(8, 100), training)
    assert config.optimizer == OptimizerConfig(clip_norm=2.0)
    assert isinstance(config.optimizer.clip_norm, float)
    config = override(config, {"train.seed": 4, "schedule.drops": [3, 4], "data.clip_frames": 9})
    assert (config.seed, config.schedule.drops, config.data.clip_frames) == (4, (3, 4), 9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["channels"], r"--set channels: write it as name=value"),
        (["a=1", "a=2"], r"--set a is given twice"),
        (
            ["optimizer.speed=1"],
            r"unknown setting 'optimizer.speed'; the settings are optimizer.name,",
        ),
        (["train.optimizer=1"], r"unknown setting 'train.optimizer'"),
        (["train.seed=half"], r"--set train.seed: 'half' should be of type int"),
        (["optimizer.learning_rate=-1"], r"learning_rate must be above 0"),
        (["optimizer.learning_rate=1e38"], r"learning_rate must be at most 1e\+06, got 1e\+38"),
        (["optimizer.learning_rate=Infinity"], r"learning_rate must be at most 1e\+06, got inf"),
        (["optimizer.learning_rate=NaN"], r"learning_rate must be above 0, got nan"),
        (["optimizer.weight_decay=1e39"], r"weight_decay must be at most 1e\+06"),
        (["optimizer.betas=[0.9]"], r"betas \(two\), decay and momentum must be in \[0, 1\)"),
        (["optimizer.betas=[0.9, 1]"], r"betas \(two\), decay and momentum must be in \[0, 1\)"),
        (['optimizer.betas=[0.9, "x"]'], r"should hold numbers only"),
        (["optimizer.decay=1.0"], r"betas \(two\), decay and momentum must be in \[0, 1\)"),
        (["schedule.factor=2"], r"factor must be at most 1, got 2"),
        (["schedule.kind=cosinus"], r"schedule 'cosinus' is unknown"),
        (["data.colour=1"], r"colour must be below 1"),
        (["data.context=20"], r"context 20 must be at least 1 and below clip_frames 20"),
    ],
)
def test_bad_settings_are_refused(settings: list[str], message: str):
    with pytest.raises(InputError, match=message):
        override(TrainConfig(8, 100), parse_settings(settings))


def test_unknown_presets_and_data_are_refused(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"unknown training preset 'nonsense'; choose one of paper-"
    ):
        find_preset("nonsense")
    with pytest.raises(InputError, match="no dataset"):
        run_training(TrainOptions("push-ot-small", str(tmp_path / "absent"), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_say_what_to_expect(name: str):
    preset = PRESETS[name]
    assert f"train {name} " in preset.command
    assert preset.hardware
    assert preset.minutes
    assert preset.expected
    assert (
        preset.train.data.clip_frames > preset.train.data.context
        or preset.train.data == DataConfig()
    )
