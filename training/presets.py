"""Training presets by name. Each says how to run it, on what, how long it takes and what to expect
of it.

Light: nothing here imports torch. A preset's model is a name of the family's own model presets.
"""

from __future__ import annotations

from pixelpush.errors import InputError
from pixelpush.training.config import DataConfig, OptimizerConfig, ScheduleConfig, TrainConfig
from pixelpush.training.image_presets import IMAGE_PRESETS
from pixelpush.training.preset import Preset

# Reed et al. 2017, section 4.3: RMSprop with centring, epsilon 1e-8; 1e-4, times 0.3 at 83K and at
# 113K steps; batches of 64 clips, 200K steps. The decay of its averages is not given.
_PAPER_TRAIN = TrainConfig(
    batch_size=64,
    examples=200_000 * 64,
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-4, epsilon=1e-8),
    schedule=ScheduleConfig(kind="steps", drops=(83_000 * 64, 113_000 * 64), factor=0.3),
)

_NOT_MEASURED = "not yet measured"

# Kind of decoder -> what Table 2 has for it on the robot pushing data (val, test-seen, test-novel).
_PUBLISHED = {
    "baseline": "2.06/2.08/2.07",
    "otn": "0.62/0.64/0.64",
    "ot": "1.04/1.04/1.04",
    "otlogn": "0.74/1.06/0.97",
}

# One or two CPU cores: one clip a step, because steps are scarce; bfloat16 with channels-last.
_SMALL_TRAIN = TrainConfig(
    batch_size=1,
    examples=10_000,
    optimizer=OptimizerConfig(name="muon", learning_rate=2.5e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=100, final=0.02),
    data=DataConfig(clip_frames=10, context=2, corruption=0.4, drawing_pairs=16),
    ema_decay=0.998,
    precision="bf16",
)
# One GPU: larger batches and a longer schedule of the same kind; never run.
_PUSH_TRAIN = TrainConfig(
    batch_size=16,
    examples=100_000,
    optimizer=OptimizerConfig(name="muon", learning_rate=2e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=4_000, final=0.02),
    data=DataConfig(clip_frames=20, context=2),
    ema_decay=0.999,
    precision="bf16",
)


# Preset -> (minutes, figure), of one seed; docs/experiments.md has settings, and how what ships was
# trained.
_MEASURED: dict[str, tuple[str, str]] = {}


def _video_preset(name: str, train: TrainConfig, data: str, hardware: str, expected: str) -> Preset:
    command = f"pixelpush train {name} --data {data} --run runs/{name}"
    minutes, found = _MEASURED.get(name, (_NOT_MEASURED, expected))
    return Preset("video", name, train, command, hardware, minutes, found)


VIDEO_PRESETS: dict[str, Preset] = {
    **{
        f"paper-{kind}": _video_preset(
            *(f"paper-{kind}", _PAPER_TRAIN, "google-push", "data-centre GPUs"),
            f"published: {published} nats per sub-pixel on val, test-seen, test-novel; ours "
            f"{_NOT_MEASURED}",
        )
        for kind, published in _PUBLISHED.items()
    },
    **{
        f"push-{kind}": _video_preset(f"push-{kind}", _PUSH_TRAIN, "sim", "one GPU", _NOT_MEASURED)
        for kind in _PUBLISHED
    },
    **{
        f"push-{kind}-small": _video_preset(
            f"push-{kind}-small", _SMALL_TRAIN, "sim", "1 CPU core", _NOT_MEASURED
        )
        for kind in _PUBLISHED
    },
}

UPSCALER_PRESETS: dict[str, Preset] = {
    f"push-upscale-{size}": Preset(
        family="upscaler",
        model="upscaler",
        overrides={"frame_size": size},
        train=TrainConfig(
            batch_size=8,  # episodes; each gives 8 crops
            examples=8_000,
            optimizer=OptimizerConfig(
                name="adamw", learning_rate=2e-3, weight_decay=1e-2, clip_norm=1.0
            ),
            schedule=ScheduleConfig(kind="cosine", warmup_examples=200, final=0.02),
            data=DataConfig(crop=32),
            ema_decay=0.998,
            precision="bf16",
        ),
        command=f"pixelpush train push-upscale-{size} --data sim --run runs/upscale-{size}",
        hardware="2 CPU cores",
        minutes=_NOT_MEASURED,
        expected=_NOT_MEASURED,
    )
    for size in (128, 256)
}

PRESETS: dict[str, Preset] = {**VIDEO_PRESETS, **UPSCALER_PRESETS, **IMAGE_PRESETS}


def find_preset(name: str) -> Preset:
    """The preset of that name; an unknown one is an InputError that lists them."""
    if name not in PRESETS:
        raise InputError(f"unknown training preset {name!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]
