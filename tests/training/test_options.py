"""From the command line to settings: typed, and refused where unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelpush.errors import InputError
from pixelpush.training.commands import run_training
from pixelpush.training.config import DataConfig, OptimizerConfig, RunOptions, TrainConfig
from pixelpush.training.options import (
    PresetChanges,
    TrainingData,
    override,
    parse_settings,
    split_settings,
)
from pixelpush.training.presets import find_preset, presets


def test_changes_reach_the_configuration():
    base = find_preset("push-ot-small").train
    assert PresetChanges().applied_to(base) == base
    changes = PresetChanges(
        examples=77,
        batch_size=3,
        learning_rate=0.5,
        seed=9,
        precision="32",
        jitter=2,
        colour=0.1,
        mirror=True,
    )
    config = changes.applied_to(base)
    assert (config.examples, config.batch_size, config.seed, config.precision) == (77, 3, 9, "32")
    assert config.optimizer.learning_rate == 0.5
    assert config.optimizer.clip_norm == base.optimizer.clip_norm
    assert (config.data.jitter, config.data.colour, config.data.mirror) == (2, 0.1, True)


def test_a_change_to_nought_is_a_change():
    base = override(TrainConfig(8, 100, ema_decay=0.5, seed=3), {"data.jitter": 2})
    config = PresetChanges(ema_decay=0.0, seed=0, jitter=0).applied_to(base)
    assert (config.ema_decay, config.seed, config.data.jitter) == (0.0, 0, 0)
    mirrored = override(base, {"data.mirror": True})
    assert PresetChanges(mirror=False).applied_to(mirrored).data.mirror  # the preset's own value


def test_settings_are_parsed_and_sorted():
    given = ("channels=48", "optimizer.clip_norm=2", "centred=False", "kind=ot")
    settings = parse_settings(given)
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
        (["schedule.kind=cosinus"], r"unknown schedule 'cosinus'"),
        (["data.colour=1"], r"colour must be below 1"),
        (["data.context=20"], r"context 20 must be at least 1 and below clip_frames 20"),
    ],
)
def test_bad_settings_are_refused(settings: list[str], message: str):
    with pytest.raises(InputError, match=message):
        override(TrainConfig(8, 100), parse_settings(settings))


def test_unknown_presets_and_data_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"unknown training preset 'nonsense'; nearest: "):
        find_preset("nonsense")
    with pytest.raises(InputError, match="no dataset"):
        run_training(
            "push-ot-small",
            TrainingData(str(tmp_path / "absent")),
            tmp_path / "run",
            PresetChanges(),
            (),
            RunOptions(),
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", sorted(presets()))
def test_presets_say_what_to_expect(name: str):
    preset = find_preset(name)
    assert f"train {name} " in preset.command
    assert preset.hardware
    assert preset.minutes
    assert preset.expected
    assert (
        preset.train.data.clip_frames > preset.train.data.context
        or preset.train.data == DataConfig()
    )
