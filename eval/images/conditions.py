"""Does an image model use its condition? What a false or a missing one costs, in nats an image.

    cost = mean over images of log p(image | true condition) - log p(image | other condition)

The other condition has one part changed: another image's, left out, or, for captions, a word put
for another. A cost near zero means that the model does not use that part. Where a model takes any
subset, each part is also tried alone, with all other parts left out: beside masks, a caption adds
little."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pixelpush.datasets.image_sets import ImageSet
from pixelpush.errors import InputError
from pixelpush.eval.statistics import mean_and_error
from pixelpush.image import Condition, ImageModel, encode_caption
from pixelpush.training.image_batches import check_fits, read_images

ANOTHER = "another image's"
NONE = "left out"

# Words that are put for each other, the next one of the row.
WORDS: Mapping[str, Sequence[str]] = {
    "colour": ("red", "blue", "yellow", "green", "white", "black", "orange", "purple"),
    "kind": ("mug", "hammer", "ball", "banana", "block", "duck", "can", "brush", "bone", "letter"),
    "side": ("left", "right"),
    "depth": ("front", "back"),
}


@dataclass(frozen=True)
class Lie:
    """A condition that is not the image's own.

    part: 'class', 'caption', 'parts', 'masks', 'structure' or 'everything'. way: what stands in its
    place. alone: whether all other parts are left out, in the true condition too.

    >>> Lie("caption", NONE).alone
    False
    """

    part: str
    way: str
    alone: bool = False


@dataclass(frozen=True)
class Heard:
    """What a lie costs. cost: nats an image, mean over ``images`` of them; error: one standard
    error of it, None for a single image.

    >>> Heard(Lie("class", NONE), cost=6.0, error=2.0, images=8).errors_from_zero
    3.0
    """

    lie: Lie
    cost: float
    error: float | None
    images: int

    @property
    def errors_from_zero(self) -> float | None:
        """The cost in standard errors."""
        return self.cost / self.error if self.error else None


@dataclass(frozen=True)
class Listening:
    """The costs of one model on one split. true: nats an image under the true
    condition.

    >>> Listening("a", "objects", images=8, true=640.0, heard=[]).true
    640.0
    """

    model: str
    data: str
    images: int
    true: float
    heard: list[Heard]


@dataclass(frozen=True)
class _Part:
    """A named part of a condition: a tensor of it, or some maps of ``structure``."""

    name: str
    field: str
    maps: slice | None = None

    def of(self, condition: Condition) -> Tensor:
        values = condition.parts()[self.field]
        return values if self.maps is None else values[:, self.maps]

    def put(self, condition: Condition, values: Tensor) -> Condition:
        """The condition with this part replaced."""
        if self.maps is None:
            return replace(condition, **{self.field: values})
        assert condition.structure is not None
        whole = condition.structure.to(torch.int8).clone()
        whole[:, self.maps] = values.to(torch.int8)
        return replace(condition, structure=whole)


def parts_of(model: ImageModel) -> list[_Part]:
    """The parts of a model's condition that are told apart.

    >>> from pixelpush.image import build_image_model
    >>> size = {"image_size": 8, "channels": 8, "layers": 2}
    >>> [part.name for part in parts_of(build_image_model("gated-pixelcnn", classes=3, **size))]
    ['class']
    """
    about = model.conditioning
    found = [_Part("class", "classes")] if about.classes else []
    if about.captions:
        found.append(_Part("caption", "captions"))
    groups = about.map_groups if about.structure else []
    names = ("parts", "masks") if len(groups) > 1 else ("structure",)
    return found + [
        _Part(name, "structure", group) for name, group in zip(names, groups, strict=False)
    ]


def listen(
    model: ImageModel, images: ImageSet, name: str, count: int, batch_size: int = 32
) -> Listening:
    """Score ``count`` images of a set, at most all, under true and other conditions.

    Raises InputError for a model without a condition, a set that does not fit, and fewer than two
    images.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("gated-pixelcnn", image_size=8, channels=8, layers=2)
    >>> listen(model, [], "a", count=2)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: a has no condition to listen to; leave out --conditions.
    """
    count = min(count, len(images))
    _check_listening(model, images, name, count)
    pixels, condition = read_images(model.config, images, range(count))
    texts = [images[i].captions[0] for i in range(count)] if model.conditioning.captions else []
    true = _nats(model, pixels, condition, batch_size)
    heard = []
    for alone in (False, True) if model.conditioning.optional else (False,):
        for part in parts_of(model):
            given = _only(model, condition, part) if alone else condition
            told = _nats(model, pixels, given, batch_size) if alone else true
            for lie, rows, other in _lies(model, given, part, texts, alone):
                found = _nats(model, pixels[rows], other, batch_size) - told[rows]
                heard.append(_heard(lie, found))
    if model.conditioning.optional:
        nothing = _nats(model, pixels, model.conditioning.unknown(count), batch_size)
        heard.append(_heard(Lie("everything", NONE), nothing - true))
    # Every image gets the condition of its neighbour in the split.
    rows = np.roll(np.arange(count), 1)
    others = _nats(model, pixels, condition[torch.from_numpy(rows)], batch_size)
    heard.append(_heard(Lie("everything", ANOTHER), others - true))
    return Listening(name, images.name, count, float(true.mean()), heard)


def _check_listening(model: ImageModel, images: ImageSet, name: str, count: int) -> None:
    """Refuse a model without a condition, a set that does not fit, and fewer than two images."""
    if not model.conditioning.used:
        raise InputError(f"{name} has no condition to listen to; leave out --conditions.")
    check_fits(model.config, images)
    if count < 2:
        raise InputError(f"{images.name}: another image's condition needs two images, not {count}.")


def _only(model: ImageModel, condition: Condition, part: _Part) -> Condition:
    count = len(part.of(condition))
    return part.put(model.conditioning.unknown(count), part.of(condition))


def _lies(
    model: ImageModel, given: Condition, part: _Part, texts: Sequence[str], alone: bool
) -> list[tuple[Lie, np.ndarray, Condition]]:
    """Every lie about a part: what it is, for which images it is one, and their conditions."""
    values = part.of(given)
    rows, others = another(values)
    lies = []
    if len(rows):
        lied = part.put(given[torch.from_numpy(rows)], values[torch.from_numpy(others)])
        lies.append((Lie(part.name, ANOTHER, alone), rows, lied))
    if model.conditioning.optional:
        unknown = part.of(model.conditioning.unknown(len(values)))
        lies.append((Lie(part.name, NONE, alone), np.arange(len(values)), part.put(given, unknown)))
    for name, words in WORDS.items() if part.field == "captions" else ():
        changed = [swapped(text, words) for text in texts]
        rows = np.array([i for i, text in enumerate(texts) if changed[i] != text], dtype=int)
        if len(rows):
            encoded = [encode_caption(changed[i], truncate=True) for i in rows]
            lied = part.put(given[torch.from_numpy(rows)], torch.tensor(encoded, dtype=torch.uint8))
            lies.append((Lie(part.name, f"another {name} word", alone), rows, lied))
    return lies


def another(values: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of images, and for each the number of the next image whose part differs from its own;
    images that have no such other are left out.

    >>> [rows.tolist() for rows in another(torch.tensor([3, 3, 5]))]
    [[0, 1, 2], [2, 2, 0]]
    """
    flat = values.flatten(1) if values.ndim > 1 else values[:, None]
    rows, others = [], []
    count = len(flat)
    for row in range(count):
        for step in range(1, count):
            other = (row + step) % count
            if not torch.equal(flat[row], flat[other]):
                rows.append(row)
                others.append(other)
                break
    return np.array(rows, dtype=int), np.array(others, dtype=int)


def swapped(text: str, words: Sequence[str]) -> str:
    """The text with every one of ``words`` replaced by the next one; an article follows its word.

    >>> swapped("a red mug beside a blue can", ("red", "blue", "orange"))
    'a blue mug beside an orange can'
    """
    after = {word: words[(number + 1) % len(words)] for number, word in enumerate(words)}

    def put(found: re.Match[str]) -> str:
        article, word = found.group(1), after[found.group(2)]
        if article:
            return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
        return word

    return re.sub(rf"\b(an? )?({'|'.join(words)})\b", put, text)


@torch.no_grad()
def _nats(model: ImageModel, pixels: Tensor, condition: Condition, batch_size: int) -> np.ndarray:
    """float64 (N,): nats of every image under its condition."""
    found = []
    for start in range(0, len(pixels), batch_size):
        part = slice(start, start + batch_size)
        # Not log_prob: a left-out class has a number of its own, which users may not give.
        scored = model.score(pixels[part].to(model.device), condition[part].to(model.device))
        found.append(-scored.cpu().double().sum(dim=(1, 2)).numpy())
    return np.concatenate(found)


def _heard(lie: Lie, costs: np.ndarray) -> Heard:
    about = mean_and_error(costs.tolist())
    return Heard(lie, about.mean, about.standard_error, len(costs))
