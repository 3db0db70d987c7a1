"""Training presets of the image models: the papers' schedules, and small ones for two CPU cores or
one GPU. Light.

Each has the name of its model preset (``pixelpush.image.presets``). Measured figures:
docs/experiments-images.md."""

from __future__ import annotations

from pixelpush.image.presets import PRESETS as MODELS
from pixelpush.training.config import OptimizerConfig, ScheduleConfig, TrainConfig
from pixelpush.training.preset import Preset

_NOT_MEASURED = "not yet measured"

# Reed et al. 2017, section 4.1: RMSprop, epsilon 1e-8, batch 128, 200K steps, 1e-4 down to 1e-5
# (when is not said).
_PAPER_MULTISCALE = TrainConfig(
    batch_size=128,
    examples=200_000 * 128,
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-4, epsilon=1e-8),
    schedule=ScheduleConfig(kind="steps", drops=(100_000 * 128,), factor=0.1),
)
# van den Oord et al. 2016a, section 5.2: RMSprop, batch 16 on MNIST and CIFAR-10; rates were set by
# hand.
_PAPER_PIXELRNN = TrainConfig(
    batch_size=16,
    examples=200_000 * 16,
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=3e-4, epsilon=1e-8, clip_norm=1.0),
)
# Salimans et al. 2017, the published code: Adam, 1e-3 times 0.999995 a step, Polyak 0.9995, batch
# 16 on each of 8 GPUs.
_PAPER_PLUSPLUS = TrainConfig(
    batch_size=128,
    examples=5000 * 50_000,
    optimizer=OptimizerConfig(name="adam", learning_rate=1e-3, betas=(0.95, 0.9995)),
    schedule=ScheduleConfig(kind="exponential", factor=0.999995 ** (1000 / 128)),
    ema_decay=0.9995,
)
# Ours, for minutes on two CPU cores. The recurrent kinds keep AdamW: they were not tried with Muon.
_SMALL = TrainConfig(
    batch_size=8,
    examples=40_000,
    optimizer=OptimizerConfig(name="muon", learning_rate=6e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=250, final=0.02),
    ema_decay=0.998,
    precision="bf16",
)
_SMALL_LSTM = TrainConfig(
    batch_size=16,
    examples=16_000,
    optimizer=OptimizerConfig(name="adamw", learning_rate=3e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=500, final=0.02),
    ema_decay=0.998,
)
# Ours, for one data-centre GPU.
_GPU = TrainConfig(
    batch_size=128,
    examples=2_000_000,
    optimizer=OptimizerConfig(name="adamw", learning_rate=2e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=20_000, final=0.02),
    ema_decay=0.9995,
    precision="bf16",
)
# Published figures, by the start of the preset's name.
_EXPECTED = {
    "paper-mnist-pixelcnn": "81.3 nats an image published",
    "paper-mnist-diagonal": "79.2 nats an image published",
    "paper-cifar-pixelcnn++": "2.92 bits/dim published",
    "paper-cifar-pixelcnn": "3.14 bits/dim published",
    "paper-cifar-gated": "3.03 bits/dim published",
    "paper-cifar-row": "3.07 bits/dim published",
    "paper-cifar-diagonal": "3.00 bits/dim published",
    "paper-imagenet32": "3.83 to 3.86 bits/dim published",
    "paper-imagenet64": "3.57 to 3.64 bits/dim published",
    "paper-imagenet128": "3.55 bits/dim published",
    "paper-cub256": "2.98 nats per sub-pixel published, at the size of Table 1",
    "paper-mpii256": "3.03 nats per sub-pixel published, at the size of Table 1",
    "paper-coco256": "3.16 nats per sub-pixel published, at the size of Table 1",
}

# Preset -> (minutes, figure) of one seed and one core; docs/experiments-images.md has the settings.
_MEASURED = {
    "cifar-small-pixelcnn++": (
        "16 for 36,000 examples",
        "3.47 bits/dim on 1,000 test images of CIFAR-10",
    ),
    "cifar-small-multiscale": (
        "10 for 40,000 examples",
        "3.75 bits/dim on 1,000 test images of CIFAR-10",
    ),
    "cub-small-multiscale": (
        "2 for 3,000 examples",
        "3.79 nats per sub-pixel on 38 test images, from 56 images",
    ),
    "coco-small-multiscale": (
        "2 for 2,400 examples",
        "training loss of 3.1 nats per sub-pixel, on 79 images",
    ),
    "mpii-small-multiscale": (
        "1 for 1,600 examples",
        "training loss of 1.6 nats per sub-pixel, on 5 images",
    ),
}


def _train_config(name: str) -> TrainConfig:
    if not name.startswith("paper-"):
        small = _SMALL_LSTM if name.endswith(("-lstm", "-bilstm", "-pixelrnn")) else _SMALL
        return _GPU if "-gpu-" in name else small
    if name.endswith("++"):
        return _PAPER_PLUSPLUS
    return _PAPER_MULTISCALE if name.endswith("-multiscale") else _PAPER_PIXELRNN


def _preset(name: str) -> Preset:
    source = name.removeprefix("paper-").split("-")[0]
    data = {"cifar": "cifar10", "imagenet128": "tfds:imagenet_resized/128x128"}.get(
        source, source.removesuffix("256")
    )
    published = next(
        (text for start, text in _EXPECTED.items() if name.startswith(start)), _NOT_MEASURED
    )
    minutes, expected = _MEASURED.get(name, (_NOT_MEASURED, published))
    return Preset(
        family="image",
        model=name,
        train=_train_config(name),
        command=f"pixelpush train {name} --data {data} --run runs/{name}",
        hardware="data-centre GPUs"
        if name.startswith("paper-")
        else "one GPU"
        if "-gpu-" in name
        else "2 CPU cores",
        minutes=minutes,
        expected=expected,
    )


IMAGE_PRESETS: dict[str, Preset] = {name: _preset(name) for name in MODELS}
