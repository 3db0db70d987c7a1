"""What the configurations of all image models have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pixelpush.errors import InputError
from pixelpush.image.heads import DISTRIBUTIONS
from pixelpush.settings import check_between

# No size or count above this is meant; it bounds what a damaged configuration can ask for.
LARGEST = 4096


@dataclass(frozen=True)
class ImageConfig:
    """What every image model's configuration has; each kind adds its own settings.

    image_size: height and width. colours: 1 or 3. distribution: a name of
    ``image.heads.DISTRIBUTIONS``; 'bernoulli' is for one colour and pixels 0 and 255. components:
    of the logistic mixture. head_hidden: width of the softmax head's hidden layer. classes,
    captions, structure: what the model is conditioned on: the number of classes, whether there are
    captions, the number of 32x32 maps (15 for CUB's parts, 17 for MPII's, 80 for COCO's classes).
    condition_channels, condition_layers: size of the encoders of these. condition_dropout: the
    probability with which each part of a training example's condition is left out; above 0, the
    model takes any subset. structure_parts: the number of maps, counted from the first, that are
    left out as a group of their own. caption_attention: width of a caption's words where every
    position reads them by attention; 0: one vector for the whole caption. truncate_captions: cut
    captions of more than 201 characters instead of refusing them.

    Raises InputError for an unknown name and for a size out of bounds.

    >>> ImageConfig("pixelcnn", image_size=28, colours=1, distribution="bernoulli").components
    10
    """

    kind: str
    image_size: int = 32
    colours: int = 3
    distribution: str = "softmax"
    components: int = 10
    head_hidden: int = 256
    classes: int = 0
    captions: bool = False
    truncate_captions: bool = False
    structure: int = 0
    condition_channels: int = 128
    condition_layers: int = 12
    condition_dropout: float = 0.0
    structure_parts: int = 0
    caption_attention: int = 0

    # Settings that may be 0; a subclass names its own beside these.
    MAY_BE_ZERO: ClassVar[tuple[str, ...]] = (
        "classes",
        "structure",
        "structure_parts",
        "caption_attention",
        "condition_layers",
        "condition_dropout",
    )

    # Whether the head's output layer is weight-normalised.
    NORMED_OUTPUT: ClassVar[bool] = False

    def __post_init__(self):
        DISTRIBUTIONS.find(self.distribution)
        for name, value in vars(self).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                most = 1 << 20 if name == "classes" else LARGEST
                check_between(self, 0 if name in self.MAY_BE_ZERO else 1, most, name)
        if self.condition_dropout >= 1:
            raise InputError(f"condition_dropout must be below 1, got {self.condition_dropout}.")
        if self.structure_parts > self.structure:
            raise InputError(
                f"structure_parts {self.structure_parts} is more than the {self.structure} maps."
            )


def check_scales(config: ImageConfig, base: int, step: int) -> None:
    """Raise InputError unless the image's size is ``base`` times a power of ``step``.

    >>> check_scales(ImageConfig("multiscale", image_size=32), base=8, step=2)
    """
    size = base
    while step > 1 and 0 < size < config.image_size:
        size *= step
    if size != config.image_size:
        raise InputError(
            f"{config.kind}: an image of {config.image_size} pixels is not base_size times a power "
            f"of {step}."
        )
