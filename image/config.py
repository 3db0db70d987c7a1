"""Configurations of the image models. Light: nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.errors import InputError

# No size or count above this is meant; it bounds what a damaged configuration can ask for.
LARGEST = 4096


@dataclass(frozen=True)
class ImageConfig:
    """What every image model has.

    image_size: height and width. colours: 1 or 3. distribution: 'softmax', 'logistic' or
    'bernoulli' (one colour, pixels 0 and 255). components: of the logistic mixture. head_hidden:
    width of the softmax head's hidden layer. classes, captions, structure: conditioning (number of
    classes; captions or none; number of 32x32 maps: 15 for CUB's parts, 17 for MPII's, 80 for
    COCO's classes); condition_channels and condition_layers: size of its encoders.
    truncate_captions: cut captions of more than 201 characters instead of refusing them."""

    kind: str
    image_size: int = 32
    colours: int = 3
    distribution: Literal["softmax", "logistic", "bernoulli"] = "softmax"
    components: int = 10
    head_hidden: int = 256
    classes: int = 0
    captions: bool = False
    truncate_captions: bool = False
    structure: int = 0
    condition_channels: int = 128
    condition_layers: int = 12

    def __post_init__(self):
        for name, value in vars(self).items():
            least = (
                0 if name in ("classes", "structure", "condition_layers", "dropout", "crop") else 1
            )
            most = 1 << 20 if name == "classes" else LARGEST
            if (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and not least <= value <= most
            ):
                raise InputError(
                    f"{self.kind}: {name} must be between {least} and {most}, got {value}."
                )
        if self.distribution not in ("softmax", "logistic", "bernoulli"):
            raise InputError(
                f"unknown distribution {self.distribution!r}; choose softmax, logistic or "
                "bernoulli."
            )


@dataclass(frozen=True)
class PixelCNNConfig(ImageConfig):
    """channels: h, half the width between blocks. hidden: the 1x1 layer on top (paper: 1024, 32 on
    MNIST)."""

    channels: int = 128
    layers: int = 15
    kernel: int = 3
    first_kernel: int = 7
    hidden: int = 1024


@dataclass(frozen=True)
class GatedPixelCNNConfig(ImageConfig):
    """channels: p, the width of both stacks."""

    channels: int = 128
    layers: int = 15
    kernel: int = 3
    first_kernel: int = 7


@dataclass(frozen=True)
class PixelCNNPPConfig(ImageConfig):
    """resnets: gated resnets per scale on the way down; one more on the way back where a scale is
    grown into."""

    filters: int = 160
    resnets: int = 5
    scales: int = 3
    dropout: float = 0.5

    def __post_init__(self):
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must be in [0, 1), got {self.dropout}.")
        if self.image_size % 2 ** (self.scales - 1):
            raise InputError(
                f"images of {self.image_size} pixels do not halve {self.scales - 1} times."
            )
        super().__post_init__()


@dataclass(frozen=True)
class PixelRNNConfig(ImageConfig):
    """channels: h. hidden: the 1x1 layer on top. residual: around every LSTM layer."""

    channels: int = 128
    layers: int = 12
    hidden: int = 1024
    first_kernel: int = 7
    residual: bool = True


@dataclass(frozen=True)
class MultiscalePixelRNNConfig(PixelRNNConfig):
    """A chain of PixelRNNs; base_size: the smallest image; step: how many times larger each next
    one is.

    recurrence: 'row' or 'diagonal'.
    """

    recurrence: Literal["row", "diagonal"] = "row"
    base_size: int = 8
    step: int = 4

    def __post_init__(self):
        _check_sizes(self.kind, self.base_size, self.image_size, self.step)
        super().__post_init__()


@dataclass(frozen=True)
class MultiscalePixelCNNConfig(ImageConfig):
    """A base Gated PixelCNN and one upscaler per doubling (Reed et al. 2017).

    upscaler: 'A' or 'B'. channels: units everywhere (paper: 128, 256 on ImageNet). base_layers: of
    the base PixelCNN. blocks: residual blocks of two layers in each group's network (paper: 12
    layers, 6 blocks). patch, patch_layers: of type B. crop: side of the random crops on which
    scales of twice that side and more are trained; 0 for none. shared_encoder_size: largest scale
    that shares the base's condition encoder; each larger one has its own."""

    base_size: int = 8
    base_layers: int = 15
    channels: int = 128
    upscaler: Literal["A", "B"] = "B"
    blocks: int = 6
    patch: int = 4
    patch_layers: int = 4
    crop: int = 32
    shared_encoder_size: int = 32

    def __post_init__(self):
        _check_sizes(self.kind, self.base_size, self.image_size, 2)
        if self.upscaler not in ("A", "B"):
            raise InputError(f"unknown upscaler {self.upscaler!r}; choose 'A' or 'B'.")
        if (
            self.upscaler == "B"
            and self.base_size < self.image_size
            and self.base_size % self.patch
        ):
            raise InputError(
                f"base_size {self.base_size} must be a multiple of the patch ({self.patch} pixels)."
            )
        if self.crop % (2 * self.patch):
            raise InputError(
                f"crop {self.crop} must be a multiple of two patches ({2 * self.patch} pixels)."
            )
        super().__post_init__()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the scales, from the base to the whole image."""
        doublings = (self.image_size // self.base_size).bit_length()
        return tuple(self.base_size << scale for scale in range(doublings))


def _check_sizes(kind: str, base: int, size: int, step: int) -> None:
    while step > 1 and 0 < base < size:
        base *= step
    if base != size:
        raise InputError(
            f"{kind}: an image of {size} pixels is not base_size times a power of {step}."
        )


KINDS: dict[str, type[ImageConfig]] = {
    "pixelcnn": PixelCNNConfig,
    "gated-pixelcnn": GatedPixelCNNConfig,
    "pixelcnn++": PixelCNNPPConfig,
    "row-lstm": PixelRNNConfig,
    "diagonal-bilstm": PixelRNNConfig,
    "multiscale-pixelrnn": MultiscalePixelRNNConfig,
    "multiscale-pixelcnn": MultiscalePixelCNNConfig,
}
