"""Do samples follow their captions? Colours and places, judged by a small classifier.

A convolutional network learns on true training images which colour of object, if any, is where. Its
maps then judge: are the colours that a caption names there, and is the first object where the
caption says? The same question about true images gives the judge's own accuracy.

python -m experiments.captions_followed --model objects-multiscale
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from torch import Tensor, nn

from pixelpush.datasets.objects import ObjectImages, open_objects
from pixelpush.datasets.objects.captions import Named, captions, place, relation
from pixelpush.datasets.objects.images import named_objects
from pixelpush.datasets.objects.names import COLOURS, NAME
from pixelpush.errors import InputError
from pixelpush.eval.images.conditions import parts_of
from pixelpush.eval.text import text_table
from pixelpush.files import write_json
from pixelpush.image import Condition, ImageModel, encode_caption
from pixelpush.image.layers import block_stack
from pixelpush.image.pixels import to_unit
from pixelpush.training.optimizer import build_optimizer, set_learning_rate
from pixelpush.training.optimizer_recipes import OptimizerConfig
from pixelpush.vpn import load_model

LEAST_CELLS = 4  # of 16 x 16: a colour of which fewer are seen is not there
_SIDE = 16
_BATCH = 16
_RATE = 4e-3


@dataclass(frozen=True)
class Options:
    """What to judge, and how the judge is trained."""

    model: str = "objects-multiscale"
    """Run folder or saved model of sim-objects."""
    images: int = 100
    """Samples, each with the caption of another image of val."""
    training: int = 4000
    """Training images of the judge, seen once, half of them mirrored."""
    temperature: float = 1.0
    """Of the samples."""
    seed: int = 0
    """Of the judge's weights and of the samples."""
    json: Path | None = None
    """Write the figures to this file."""


@dataclass(frozen=True)
class Asked:
    """What a caption of at most two objects of different colours asks for."""

    objects: tuple[Named, ...]
    floor: int

    @property
    def caption(self) -> str:
        return captions(self.objects, self.floor)[0]


class Judge(nn.Sequential):
    """Images uint8 (N, 3, 32, 32) to logits (N, 1 + colours, 16, 16); 0 is no object."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 32, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(32, 64, 4, stride=2, padding=1),
            # Dilated, so that a cell sees the lamp's colour and the whole of its object.
            block_stack("residual", 64, 3, dilation=4),
            nn.SiLU(),
            nn.Conv2d(64, 1 + len(COLOURS), 1),
        )

    def cells(self, images: Tensor) -> np.ndarray:
        """int (N, 16, 16): 0 for no object, 1 + colour."""
        with torch.no_grad():
            return self(to_unit(images)).argmax(dim=1).numpy()


def colour_cells(about: dict[str, np.ndarray]) -> np.ndarray:
    """int (16, 16): the truth, from an image's attributes."""
    colours = np.concatenate([[0], 1 + about["colours"].astype(int)])
    return colours[about["masks"]][::2, ::2]


def trained_judge(options: Options) -> Judge:
    """A judge, after one pass over its training images."""
    images = open_objects(f"{NAME}:{options.training}", "train")
    torch.manual_seed(options.seed)
    judge = Judge()
    optimiser = build_optimizer(OptimizerConfig("muon", learning_rate=_RATE), judge)
    weights = torch.tensor([0.3, *[1.0] * len(COLOURS)])
    for start in range(0, options.training - _BATCH + 1, _BATCH):
        set_learning_rate(optimiser, _RATE * (1 - start / options.training))
        batch = range(start, start + _BATCH)
        pixels = np.stack([images[i].image for i in batch])
        truth = np.stack([colour_cells(images.attributes(i)) for i in batch])
        if start // _BATCH % 2:
            pixels, truth = pixels[..., ::-1].copy(), truth[..., ::-1].copy()
        logits = judge(to_unit(torch.from_numpy(pixels)))
        loss = F.cross_entropy(logits, torch.from_numpy(truth), weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return judge.eval()


def questions(images: ObjectImages, count: int) -> tuple[list[Asked], list[int]]:
    """Captions of the first ``count`` images of at most two objects, of different colours, and the
    images' numbers."""
    found: list[Asked] = []
    numbers: list[int] = []
    for number in range(len(images)):
        about = images.attributes(number)
        objects = named_objects(about)
        if len(objects) <= 2 and len({each.colour for each in objects}) == len(objects):
            found.append(Asked(tuple(objects), int(about["floor"])))
            numbers.append(number)
        if len(found) == count:
            return found, numbers
    raise InputError(f"{images.name}: only {len(found)} images have one or two objects.")


def judged(asked: Asked, cells: np.ndarray) -> tuple[bool, bool]:
    """Whether all named colours are there, and whether the first object is where the caption says.

    cells: int (16, 16), 1 + colour.

    >>> mug = Named(4, 0, 0.2, 0.5)
    >>> cells = np.zeros((16, 16), int)
    >>> cells[6:10, 1:4] = 1
    >>> judged(Asked((mug,), 0), cells)
    (True, True)
    """
    seen = []
    for each in asked.objects:
        rows, columns = np.nonzero(cells == 1 + each.colour)
        if len(rows) < LEAST_CELLS:
            return False, False
        x, y = (float((values.mean() + 0.5) / _SIDE) for values in (columns, rows))
        seen.append(Named(each.kind, each.colour, x, y))
    if len(seen) == 1:
        return True, place(seen[0]) == place(asked.objects[0])
    return True, relation(*seen) == relation(*asked.objects)


def followed(asked: list[Asked], cells: np.ndarray) -> dict[str, float]:
    """Shares of images whose colours, and whose colours and places, are as asked."""
    answers = np.array([judged(one, found) for one, found in zip(asked, cells, strict=True)])
    return {"colours": float(answers[:, 0].mean()), "places": float(answers[:, 1].mean())}


def conditions(model: ImageModel, texts: Tensor, maps: Tensor) -> dict[str, Condition]:
    """What samples are drawn from: captions alone, and with the masks of their images, which say
    kinds and places but no colour.

    texts: (N, 201). maps: (N, P, 32, 32)."""
    found = {"caption alone": Condition(captions=texts)}
    parts = {part.name: part for part in parts_of(model)}
    if "masks" in parts:
        masks = parts["masks"]
        nothing = model.conditioning.unknown(len(texts)).structure
        captioned = Condition(captions=texts, structure=nothing)
        known = masks.of(Condition(structure=maps))
        found["caption and masks"] = masks.put(captioned, known)
    return found


def main(options: Options) -> int:
    """Train the judge, draw the samples, print the table."""
    judge = trained_judge(options)
    images = open_objects(NAME, "val")
    asked, numbers = questions(images, options.images)
    real = torch.from_numpy(np.stack([images[number].image for number in numbers]))
    model = load_model(options.model, family="image")
    texts = torch.tensor([encode_caption(one.caption) for one in asked], dtype=torch.uint8)
    shuffled = asked[1:] + asked[:1]  # what agrees with a caption by chance
    found = {"true images (the judge's own accuracy)": followed(asked, judge.cells(real))}
    maps = torch.from_numpy(np.stack([images[number].structure for number in numbers]))
    for given, condition in conditions(model, texts, maps).items():
        generator = torch.Generator().manual_seed(options.seed)
        drawn = model.sample(len(asked), condition, generator, options.temperature).images
        cells = judge.cells(drawn)
        found[f"samples, {given}"] = followed(asked, cells)
        found[f"samples, {given}: others' captions (chance)"] = followed(shuffled, cells)
    rows = [
        [name, f"{share['colours']:.0%}", f"{share['places']:.0%}"] for name, share in found.items()
    ]
    print(text_table([f"{len(asked)} captions, {options.model}", "colours", "and places"], rows))
    if options.json is not None:
        write_json(options.json, {"images": len(asked), "model": options.model, "shares": found})
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(tyro.cli(Options, description=__doc__)))
    except InputError as error:
        print(f"captions_followed: {error}", file=sys.stderr)
        sys.exit(2)
