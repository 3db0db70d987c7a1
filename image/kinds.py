"""The record of one kind of image model, and the registry of all kinds.

The file of a model ends with its record; ``image/kind_list.py`` lists the records. Presets of
models and trainings, help texts and labels of tables are derived from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pixelpush.image.config import ImageConfig
from pixelpush.registry import Registry

if TYPE_CHECKING:
    from pixelpush.image.model import ImageModel

NOT_MEASURED = "not yet measured"


@dataclass(frozen=True)
class ImagePreset:
    """A model's settings, and how and on what it is trained.

    settings: those of the kind's configuration that differ from its defaults. training: a name of
    ``training.image_presets.RECIPES``. data: the data set of the shown command. minutes, expected:
    how long the training takes and what comes of it, in words. ours: of a ``paper-*`` preset, what
    the papers do not say.

    >>> ImagePreset({"channels": 24}, "small", "cifar10").expected
    'not yet measured'
    """

    settings: Mapping[str, Any]
    training: str
    data: str
    minutes: str = NOT_MEASURED
    expected: str = NOT_MEASURED
    ours: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageKind:
    """Everything that the package knows about one kind of image model.

    name: as in ``build_image_model(name)``. label: what the papers' tables call it. config: class
    of its configuration. build: makes a model of such a configuration. distribution: pixel
    distribution of a model built by the bare name. presets: by name. bound: whether its score is a
    lower bound of the likelihood.

    >>> from pixelpush.image.kind_list import KINDS
    >>> KINDS["pixelcnn++"].label, KINDS["pixelcnn++"].distribution
    ('PixelCNN++', 'logistic')
    """

    name: str
    label: str
    config: type[ImageConfig]
    build: Callable[[Any], ImageModel]
    distribution: str
    presets: Mapping[str, ImagePreset] = field(default_factory=dict)
    bound: bool = False


# Filled by ``image/kind_list.py``.
KINDS: Registry[ImageKind] = Registry("image model")

# Settings that presets of several kinds share.
MNIST = {"image_size": 28, "colours": 1, "distribution": "bernoulli"}
DOWNSAMPLED = "tfds:downsampled_imagenet/{0}x{0}"  # of the papers' figures; it has no classes
CIFAR = {"image_size": 32, "head_hidden": 1024}
SMALL_CIFAR = {"image_size": 32, "head_hidden": 64}
