"""Training presets by name: the command, the hardware, the time and the figure to expect of each.

The presets are derived from the records of the kinds (``vpn.kinds``, ``image.kinds``). The name of
a video or image preset is also the name of its model's preset."""

from __future__ import annotations

from dataclasses import replace

from pixelpush.published import robot_pushing_words
from pixelpush.training.config import DataConfig, OptimizerConfig, ScheduleConfig, TrainConfig
from pixelpush.training.image_presets import image_presets
from pixelpush.training.preset import Preset
from pixelpush.training.preset_names import check_preset_name
from pixelpush.vpn.decoders import KINDS
from pixelpush.vpn.kinds import Measured

# Reed et al. 2017, section 4.3: RMSprop with centring, epsilon 1e-8; 1e-4, times 0.3 at 83K and at
# 113K steps; batches of 64 clips, 200K steps. The rest is in ``_OURS_TRAINING``.
_PAPER_TRAIN = TrainConfig(
    batch_size=64,
    examples=200_000 * 64,
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-4, epsilon=1e-8),
    schedule=ScheduleConfig(kind="steps", drops=(83_000 * 64, 113_000 * 64), factor=0.3),
)

# One or two CPU cores: one clip a step, because steps are scarce; bfloat16 with channels-last.
_SMALL_TRAIN = TrainConfig(
    batch_size=1,
    examples=10_000,
    optimizer=OptimizerConfig(name="muon", learning_rate=2.5e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=100, final=0.02),
    data=DataConfig(clip_frames=10, context=2, corruption=0.4, drawing_episodes=8),
    ema_decay=0.998,
    precision="bf16",
)
# Drawing the arm is learnt first: it needs many stations in every step. The small presets start
# from such a run.
_DRAWING_TRAIN = replace(
    _SMALL_TRAIN,
    examples=8_000,
    data=replace(_SMALL_TRAIN.data, teaches="drawing"),
)
# One GPU: larger batches and a longer schedule of the same kind; never run.
_PUSH_TRAIN = TrainConfig(
    batch_size=16,
    examples=100_000,
    optimizer=OptimizerConfig(name="muon", learning_rate=2e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=4_000, final=0.02),
    data=DataConfig(clip_frames=20, context=2, corruption=0.4, drawing_episodes=2),
    ema_decay=0.999,
    precision="bf16",
)


# 2x upscalers of video: a batch of 8 episodes, each of which gives 8 crops.
_SUPER_RESOLUTION_TRAIN = TrainConfig(
    batch_size=8,
    examples=8_000,
    optimizer=OptimizerConfig(name="adamw", learning_rate=2e-3, weight_decay=1e-2, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=200, final=0.02),
    data=DataConfig(crop=32),
    ema_decay=0.998,
    precision="bf16",
)

# The paper says what they are conditioned on, and nothing else.
_PAPER_UPSCALER_TRAIN = replace(_PAPER_TRAIN, data=DataConfig(crop=32))
_PAPER_UPSCALER_SIZES = {"channels": 128, "blocks": 6, "components": 10}
_OURS_UPSCALER = (
    "all four groups by type-A networks, centred on the previous large frame",
    "sizes: 12 residual layers of 128 units, and 32x32 crops, those of the paper's image models",
    "10 components of the mixture, as in PixelCNN++",
    "training: that of the video models; a batch of 64 episodes gives 8 crops of each",
)
_OURS_TRAINING = ("the decay of RMSprop's averages, 0.95, and epsilon inside the root",)

_NOT_MEASURED = "not yet measured"


def video_presets() -> dict[str, Preset]:
    """Return the training presets of all kinds of video models, derived from their records.

    >>> video_presets()["push-ot-small"].hardware
    '1 CPU core'
    """
    found = {}
    for kind in KINDS.values():
        sizes = {
            f"paper-{kind.name}": (_PAPER_TRAIN, "google-push", "data-centre GPUs"),
            f"push-{kind.name}": (_PUSH_TRAIN, "sim", "one GPU"),
            f"push-{kind.name}-small": (_SMALL_TRAIN, "sim", "1 CPU core"),
        }
        if kind.paper is None:
            del sizes[f"paper-{kind.name}"]
        for variant in kind.variants:
            sizes[f"paper-{kind.name}-{variant}"] = sizes[f"paper-{kind.name}"]
        for name, (train, data, hardware) in sizes.items():
            measured = kind.measured.get(name, _unmeasured(name))
            found[name] = Preset(
                family="video",
                model=name,
                train=train,
                command=f"pixelpush train {name} --data {data} --run runs/{name}",
                hardware=hardware,
                minutes=measured.minutes,
                expected=measured.figure,
                ours=(*kind.ours, *_OURS_TRAINING) if name.startswith("paper-") else (),
            )
    return found


def _unmeasured(name: str) -> Measured:
    published = robot_pushing_words(name.removeprefix("paper-"))
    if published is None:
        return Measured(_NOT_MEASURED, _NOT_MEASURED)
    return Measured(_NOT_MEASURED, f"published: {published}; ours {_NOT_MEASURED}")


def drawing_presets() -> dict[str, Preset]:
    """Return the preset that teaches the layered encoder to draw the arm, and nothing else.

    >>> drawing_presets()["push-drawing-small"].train.data.teaches
    'drawing'
    """
    name = "push-drawing-small"
    return {
        name: Preset(
            family="video",
            model="push-ot-small",
            train=_DRAWING_TRAIN,
            command=f"pixelpush train {name} --data sim --run runs/{name}",
            hardware="1 CPU core",
            minutes="25 for 6,000 steps",
            expected="8.2 levels of error on the arm, on val of sim",
        )
    }


def super_resolution_presets() -> dict[str, Preset]:
    """Return the training presets of the 2x video upscalers, by the size that they draw.

    >>> super_resolution_presets()["push-upscale-128"].overrides
    {'frame_size': 128}
    """
    found = {}
    for size in (128, 256):
        name = f"push-upscale-{size}"
        found[name] = Preset(
            family="upscaler",
            model="upscaler",
            overrides={"frame_size": size},
            train=_SUPER_RESOLUTION_TRAIN,
            command=f"pixelpush train {name} --data sim --run runs/upscale-{size}",
            hardware="2 CPU cores",
            minutes=_NOT_MEASURED,
            expected=_NOT_MEASURED,
        )
        paper = f"paper-upscale-{size}"
        found[paper] = Preset(
            family="upscaler",
            model="upscaler",
            overrides={"frame_size": size, **_PAPER_UPSCALER_SIZES},
            train=_PAPER_UPSCALER_TRAIN,
            command=f"pixelpush train {paper} --data google-push-{size} --run runs/{paper}",
            hardware="data-centre GPUs",
            minutes=_NOT_MEASURED,
            expected=_NOT_MEASURED,
            ours=(*_OURS_UPSCALER, *_OURS_TRAINING),
        )
    return found


def presets() -> dict[str, Preset]:
    """Return every training preset by name.

    >>> presets()["paper-ot"].train.optimizer.name
    'rmsprop'
    """
    return {**video_presets(), **drawing_presets(), **super_resolution_presets(), **image_presets()}


def find_preset(name: str) -> Preset:
    """Return the training preset of that name; an unknown one raises InputError with the nearest.

    >>> find_preset("push-ot-small").model
    'push-ot-small'
    """
    check_preset_name(name)
    return presets()[name]
