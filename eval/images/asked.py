"""The conditions of a picture's rows: given by the user, or taken from an image set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from pixelpush.datasets.image_sets import ImageExample, ImageSet, open_images
from pixelpush.datasets.image_sets.base import STRUCTURE_SIZE, keypoint_map
from pixelpush.datasets.image_sets.class_names import class_names, part_names
from pixelpush.datasets.images import decode_image
from pixelpush.errors import InputError
from pixelpush.eval.images.conditions import parts_of
from pixelpush.eval.images.settings import PictureSettings
from pixelpush.image import Condition, ImageModel, encode_caption
from pixelpush.training.image_batches import check_fits, example_arrays, split_batch

Value = TypeVar("Value")


@dataclass(frozen=True)
class Asked:
    """A row's condition. condition: of one sample, or None. words: for people. structure: uint8 (P,
    32, 32) as far as it is given. example: the real image that the condition is of, or None.

    >>> Asked(Condition(classes=torch.tensor([4])), words="mug").words
    'mug'
    """

    condition: Condition | None
    words: str = ""
    structure: np.ndarray | None = None
    example: ImageExample | None = None


def asked_rows(model: ImageModel, data: str, settings: PictureSettings) -> list[Asked]:
    """The conditions of a picture, one a row. data: the name of an image set, or ''.

    Raises InputError for what the model or the set does not know.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("gated-pixelcnn", image_size=8, channels=8, layers=2)
    >>> asked_rows(model, "", PictureSettings(rows=1))
    [Asked(condition=None, words='', structure=None, example=None)]
    """
    if settings.says_a_condition:
        return _spelt_out(model, data, settings)
    if not model.conditioning.used:
        return [Asked(None)] * settings.rows
    if not data:
        raise InputError(
            "this model is conditional: name an image set with --data, or say a condition with "
            "--label, --caption, --part or --mask."
        )
    return from_data(model, open_for(model, data, settings), data, settings)


def open_for(model: ImageModel, data: str, settings: PictureSettings) -> ImageSet:
    """The image set of a picture, which must have the rows' images.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("gated-pixelcnn", image_size=8, channels=8, layers=2)
    >>> open_for(model, "", PictureSettings())
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: this picture needs real images; name an image set with --data.
    """
    if not data:
        raise InputError("this picture needs real images; name an image set with --data.")
    images = open_images(data, settings.split, size=model.config.image_size)
    check_fits(model.config, images)
    if settings.first < 0 or settings.first + settings.rows > len(images):
        raise InputError(
            f"{images.name} has {len(images)} images; --first {settings.first} with --rows "
            f"{settings.rows} is past."
        )
    return images


def from_data(
    model: ImageModel, images: ImageSet, data: str, settings: PictureSettings
) -> list[Asked]:
    """The conditions of a set's images, or the parts of them that are used.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("gated-pixelcnn", image_size=8, channels=8, layers=2, classes=20)
    >>> images = [ImageExample("a", np.zeros((3, 8, 8), np.uint8), label=4)]
    >>> from_data(model, images, "sim-objects", PictureSettings(rows=1))[0].words
    'mug'
    """
    return [
        _of_example(model, images[settings.first + row], data, settings.use)
        for row in range(settings.rows)
    ]


def _of_example(model: ImageModel, example: ImageExample, data: str, use: Sequence[str]) -> Asked:
    arrays = {
        name: torch.from_numpy(np.array(value))[None]
        for name, value in example_arrays(model.config, example).items()
    }
    known = {part.name: part for part in parts_of(model)}
    _check_use(model, use, list(known))
    given = split_batch(arrays)[1]
    if use:
        whole = given
        given = model.conditioning.unknown(1)
        for name in use:
            given = known[name].put(given, known[name].of(whole))
    shown = None if given.structure is None else given.structure[0].clamp(min=0).numpy()
    words = _words_of_example(model, example, data, list(use) or list(known))
    return Asked(_left_out(given, model), words, shown, example)


def _check_use(model: ImageModel, use: Sequence[str], known: Sequence[str]) -> None:
    """Refuse parts of a condition that the model does not have, or cannot be without."""
    unknown = [name for name in use if name not in known]
    if unknown:
        raise InputError(f"--use {unknown[0]}: this model is conditioned on {', '.join(known)}.")
    if use and not model.conditioning.optional and set(use) != set(known):
        raise InputError(
            f"--use: this model needs all of its condition ({', '.join(known)}); only one trained "
            "with condition dropout takes any subset."
        )


def _words_of_example(
    model: ImageModel, example: ImageExample, data: str, used: Sequence[str]
) -> str:
    """Class and caption, as far as they are used."""
    words = []
    if "class" in used and model.config.classes:
        words.append(_class_word(data, example.label))
    if "caption" in used and model.config.captions:
        words.append(example.captions[0])
    return ": ".join(words)


def _left_out(given: Condition, model: ImageModel) -> Condition:
    """The condition without a class number that stands for none: users may not give that."""
    if given.classes is not None and int(given.classes[0]) == model.config.classes:
        return replace(given, classes=None)
    return given


def _class_word(data: str, label: int) -> str:
    names = class_names(data)
    return names[label] if 0 <= label < len(names) else f"class {label}"


def _spelt_out(model: ImageModel, data: str, settings: PictureSettings) -> list[Asked]:
    """A row for each label or caption, whichever are more; the shorter list is repeated."""
    _check_conditioned(model, settings)
    labels = [class_number(text, data, model.config.classes) for text in settings.labels]
    texts = [spoken(text) for text in settings.captions]
    structure = _structure(model, data, settings)
    return [
        _row(data, _repeated(labels, row), _repeated(texts, row), structure)
        for row in range(max(len(labels), len(texts), 1))
    ]


def _check_conditioned(model: ImageModel, settings: PictureSettings) -> None:
    """Refuse options about what the model is not conditioned on."""
    config = model.config
    for option, wanted, has in (
        ("--label", settings.labels, config.classes),
        ("--caption", settings.captions, config.captions),
        ("--part", settings.parts, config.structure),
        ("--mask", settings.mask, config.structure),
    ):
        if wanted and not has:
            raise InputError(f"{option}: this model is not conditioned on that.")


def _repeated(values: Sequence[Value], row: int) -> Value | None:
    return values[row % len(values)] if values else None


def _row(data: str, label: int | None, text: str | None, structure: np.ndarray | None) -> Asked:
    classes = None if label is None else torch.tensor([label])
    captions = None
    if text is not None:
        captions = torch.tensor([encode_caption(text)], dtype=torch.uint8)
    maps = None if structure is None else torch.from_numpy(structure)[None]
    shown = None if structure is None else structure.clip(min=0).astype(np.uint8)
    words = ["" if label is None else _class_word(data, label), text or ""]
    named = ": ".join(word for word in words if word)
    return Asked(Condition(classes, captions, maps), named, shown)


def class_number(text: str, data: str, classes: int) -> int:
    """The class that a name or a number means.

    >>> class_number("mug", "sim-objects", 20), class_number("7", "", 20)
    (4, 7)
    """
    names = list(class_names(data))[:classes]
    if text in names:
        return names.index(text)
    if text.isascii() and text.isdecimal() and int(text) < classes:
        return int(text)
    listed = f"{', '.join(names)}, or a number from" if names else "a number from"
    raise InputError(f"--label {text}: no such class; give {listed} 0 to {classes - 1}.")


def spoken(text: str) -> str:
    """A caption as a user gives it; one that the model cannot read is refused.

    >>> spoken("a red mug")
    'a red mug'
    """
    encode_caption(text, strict=True)
    return text


def _structure(model: ImageModel, data: str, settings: PictureSettings) -> np.ndarray | None:
    """int8 (P, 32, 32) with -1 in maps of which nothing is said."""
    if not settings.parts and settings.mask is None:
        return None
    groups = {part.name: part.maps for part in parts_of(model) if part.field == "structure"}
    whole = np.full((model.config.structure, STRUCTURE_SIZE, STRUCTURE_SIZE), -1, np.int8)
    names = part_names(data)
    if settings.parts:
        maps = groups.get("parts", groups.get("structure"))
        if not names or len(names) != len(whole[maps]):
            raise InputError("--part: this model's image set has no names of parts.")
        whole[maps] = part_maps(settings.parts, names)
    if settings.mask is not None:
        maps = groups.get("masks", groups.get("structure"))
        whole[maps] = mask_maps(settings.mask, len(whole[maps]))
    return whole


def part_maps(texts: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """uint8 (P, 32, 32) of parts given as NAME=X,Y.

    >>> part_maps(["tip=0.5,0.25"], ("handle", "tip")).nonzero()
    (array([1]), array([8]), array([16]))
    """
    places = np.zeros((len(names), 2))
    visible = [False] * len(names)
    for text in texts:
        name, _, place = text.partition("=")
        if name not in names:
            raise InputError(f"--part {text}: no part {name!r}; there are {', '.join(names)}.")
        try:
            x, y = (float(value) for value in place.split(","))
        except ValueError:
            # Refused below, in the same words as a place outside the image.
            x = y = -1.0
        if not (0 <= x < 1 and 0 <= y < 1):
            raise InputError(
                f"--part {text}: after {name}= come x and y as shares of the image, from 0 to below"
                f" 1, as in {name}=0.5,0.25."
            )
        places[names.index(name)] = x, y
        visible[names.index(name)] = True
    return keypoint_map(places, visible)


def mask_maps(path: Path, count: int) -> np.ndarray:
    """uint8 (count, 32, 32) of a grey PNG in which 1 + k stands for class k, 0 for nothing.

    >>> mask_maps(Path("nowhere.png"), 3)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --mask nowhere.png: no such file.
    """
    if not path.is_file():
        raise InputError(f"--mask {path}: no such file.")
    cells = decode_image(path.read_bytes(), f"--mask {path}", channels=1)[..., 0]
    if cells.shape != (STRUCTURE_SIZE, STRUCTURE_SIZE):
        raise InputError(
            f"--mask {path}: is {cells.shape[1]}x{cells.shape[0]} pixels; masks are "
            f"{STRUCTURE_SIZE}x{STRUCTURE_SIZE}."
        )
    if cells.max() > count:
        raise InputError(
            f"--mask {path}: has a pixel of {cells.max()}; this model knows 0 (nothing) and 1 to "
            f"{count} (1 + class)."
        )
    return np.stack([(cells == 1 + number) for number in range(count)]).astype(np.uint8)


def together(rows: Sequence[Asked], samples: int) -> Condition | None:
    """The rows' conditions as one, each repeated for its samples.

    >>> rows = [Asked(Condition(classes=torch.tensor([number]))) for number in (4, 7)]
    >>> together(rows, samples=2).classes.tolist()
    [4, 4, 7, 7]
    """
    if rows[0].condition is None:
        return None
    parts = [row.condition.parts() for row in rows if row.condition is not None]
    joined = {
        name: torch.cat([part[name] for part in parts]).repeat_interleave(samples, 0)
        for name in parts[0]
    }
    return Condition(**joined)
