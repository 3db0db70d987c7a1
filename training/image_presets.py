"""Recipes of training for image models, and the training presets that name them.

The papers' schedules, and ours for two CPU cores or one GPU. Each training preset has the name of
a model preset, whose record names its recipe. Measured figures: docs/experiments-images.md."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pixelpush.image.presets import model_presets
from pixelpush.registry import Registry
from pixelpush.training.config import OptimizerConfig, ScheduleConfig, TrainConfig
from pixelpush.training.preset import Preset


@dataclass(frozen=True)
class Recipe:
    """How a model is trained, and on what hardware.

    ours: of a paper's recipe, what the paper does not say.

    >>> RECIPES.find("small").hardware
    '2 CPU cores'
    """

    train: TrainConfig
    hardware: str
    ours: tuple[str, ...] = ()


# Reed et al. 2017, section 4.1: RMSprop, epsilon 1e-8, batch 128, 200K steps, 1e-4 down to 1e-5.
_PAPER_MULTISCALE = TrainConfig(
    batch_size=128,
    examples=200_000 * 128,
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-4, epsilon=1e-8),
    schedule=ScheduleConfig(kind="steps", drops=(100_000 * 128,), factor=0.1),
)
# van den Oord et al. 2016a, section 5.2: RMSprop; batch 16 on MNIST and CIFAR-10, 64 and 32 on
# ImageNet of 32 and 64 pixels; rates were set by hand.
_PAPER_PIXELRNN = TrainConfig(
    batch_size=16,
    examples=200_000 * 16,
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=3e-4, epsilon=1e-8, clip_norm=1.0),
)
# van den Oord et al. 2016b, section 3.1: 200K steps, batch 128 over 32 GPUs.
_PAPER_GATED = replace(_PAPER_PIXELRNN, batch_size=128, examples=200_000 * 128)
# Dinh et al. 2017, the authors' code (tensorflow/models, research/real_nvp): Adam at 1e-3 with its
# usual betas, batch 64.
_PAPER_REAL_NVP = TrainConfig(
    batch_size=64,
    examples=200_000 * 64,
    optimizer=OptimizerConfig(name="adam", learning_rate=1e-3, betas=(0.9, 0.999)),
)
# Salimans et al. 2017, the published code: Adam, 1e-3 times 0.999995 a step, Polyak 0.9995, batch
# 16 on each of 8 GPUs.
_PAPER_PLUSPLUS = TrainConfig(
    batch_size=128,
    examples=5000 * 50_000,
    optimizer=OptimizerConfig(name="adam", learning_rate=1e-3, betas=(0.95, 0.9995)),
    # ``Exponential`` counts thousands of examples, the code steps of 128.
    schedule=ScheduleConfig(kind="exponential", factor=0.999995 ** (1000 / 128)),
    ema_decay=0.9995,
)
# Ours, for minutes on two CPU cores.
_SMALL = TrainConfig(
    batch_size=8,
    examples=40_000,
    optimizer=OptimizerConfig(name="muon", learning_rate=6e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=250, final=0.02),
    ema_decay=0.998,
    precision="bf16",
)
# For wide coarse layers, whose updates cost as much as eight examples.
_SMALL_WIDE = replace(
    _SMALL,
    batch_size=16,
    examples=48_000,
    schedule=ScheduleConfig(kind="cosine", warmup_examples=500, final=0.02),
)
# In float32: the recurrent kinds were tried with Muon (docs/experiments-images.md), not with bf16.
_SMALL_LSTM = replace(
    _SMALL,
    examples=16_000,
    schedule=ScheduleConfig(kind="cosine", warmup_examples=500, final=0.02),
    precision="32",
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

_OURS_RMSPROP = (
    "RMSprop is centred, its averages' decay is 0.95, and epsilon stands inside the root",
)
_OURS_PIXELRNN = (
    *_OURS_RMSPROP,
    "a constant rate of 3e-4 (the paper's were set by hand), the gradient's norm clipped at 1",
    "200K steps",
)


def _pixelrnn_imagenet(batch_size: int) -> TrainConfig:
    return replace(_PAPER_PIXELRNN, batch_size=batch_size, examples=200_000 * batch_size)


RECIPES: Registry[Recipe] = Registry(
    "recipe of training",
    {
        "paper-multiscale": Recipe(
            _PAPER_MULTISCALE,
            "data-centre GPUs",
            (*_OURS_RMSPROP, "the fall from 1e-4 to 1e-5: one step, after 100K of 200K"),
        ),
        "paper-pixelrnn": Recipe(_PAPER_PIXELRNN, "data-centre GPUs", _OURS_PIXELRNN),
        "paper-pixelrnn-imagenet32": Recipe(
            _pixelrnn_imagenet(64), "data-centre GPUs", _OURS_PIXELRNN
        ),
        "paper-pixelrnn-imagenet64": Recipe(
            _pixelrnn_imagenet(32), "data-centre GPUs", _OURS_PIXELRNN
        ),
        "paper-gated": Recipe(
            _PAPER_GATED,
            "data-centre GPUs",
            (*_OURS_RMSPROP, "RMSprop at 3e-4, the gradient's norm clipped at 1"),
        ),
        "paper-pixelcnn++": Recipe(
            _PAPER_PLUSPLUS, "data-centre GPUs", ("the length: the public code's upper bound",)
        ),
        "paper-real-nvp": Recipe(
            _PAPER_REAL_NVP,
            "data-centre GPUs",
            (
                "200K steps",
                "no penalty on the scales of the couplings; the public code has one of 5e-5",
                "no clipping; the public code clips the gradient at 100",
            ),
        ),
        "small": Recipe(_SMALL, "2 CPU cores"),
        "small-wide": Recipe(_SMALL_WIDE, "2 CPU cores"),
        "small-lstm": Recipe(_SMALL_LSTM, "2 CPU cores"),
        "gpu": Recipe(_GPU, "one GPU"),
    },
)


def image_presets() -> dict[str, Preset]:
    """Return the training preset of every preset of an image model.

    >>> image_presets()["cifar-small-pixelcnn"].train.batch_size
    8
    """
    found = {}
    for name, (_, model) in model_presets().items():
        recipe = RECIPES.find(model.training)
        found[name] = Preset(
            family="image",
            model=name,
            train=recipe.train,
            command=f"pixelpush train {name} --data {model.data} --run runs/{name}",
            hardware=recipe.hardware,
            minutes=model.minutes,
            expected=model.expected,
            ours=(*model.ours, *recipe.ours) if name.startswith("paper-") else (),
        )
    return found
