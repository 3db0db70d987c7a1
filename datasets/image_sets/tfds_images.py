"""Any TFDS set with an ``image`` (and perhaps a ``label``), prepared in array_record form:
``tfds:NAME[/CONFIG]``.

Prepare it once with ``tfds build NAME`` or ``tfds.builder(NAME,
file_format="array_record").download_and_prepare()``; it is read from TFDS's folder (or ``root``)
without TensorFlow. Splits: train, test and, where the set has one, validation (asked for as val).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.image_sets.base import ImageExample, digest_of
from pixelpush.errors import InputError


class TfdsImages:
    """A split of a TFDS set by random access.

    name: TFDS's, with a configuration perhaps. root: TFDS's data folder, by default its own. Images
    are squares of one size or are refused when read. Raises InputError for sets that are not
    prepared.

    >>> TfdsImages("no_such_set", "train", None)
    Traceback (most recent call last):
    pixelpush.errors.InputError: tfds:no_such_set: ...
    """

    structure = 0
    has_captions = False

    def __init__(self, name: str, split: str, root: Path | None):
        builder, wanted, self._source = _opened(name, split, root)
        features = builder.info.features
        if features is None or "image" not in features:
            raise InputError(f"tfds:{name} has no feature 'image'; choose a set of images.")
        self.name = f"tfds-{name.replace('/', '-')}-{split}"
        self.classes = features["label"].num_classes if "label" in features else 0
        self.content_sha256 = digest_of(builder.info.full_name, wanted, len(self._source))

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> ImageExample:
        try:
            record = self._source[index]
        except IndexError:
            raise
        # The reader's C++ errors, and whatever a broken record makes its decoders raise.
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"{self.name}/{index} cannot be read ({reason}); prepare the set again."
            ) from None
        image = np.asarray(record["image"])
        if image.ndim != 3 or image.shape[0] != image.shape[1]:
            raise InputError(
                f"{self.name}/{index}: an image of {image.shape} is no square; choose a set of "
                "square images."
            )
        label = int(record["label"]) if self.classes else -1
        return ImageExample(
            f"{self.name}/{index}", np.ascontiguousarray(image.transpose(2, 0, 1)), label
        )


def _opened(name: str, split: str, root: Path | None) -> tuple[Any, str, Any]:
    """TFDS's builder, its name of the split, and the split's records."""
    # It takes a third of a second to import.
    import tensorflow_datasets as tfds

    try:
        builder: Any = tfds.builder(name, data_dir=None if root is None else str(root))
        wanted = "validation" if split == "val" else split
        _check_split(name, wanted, builder.info.splits)
        return builder, wanted, builder.as_data_source(split=wanted)
    except InputError:
        raise
    except (
        tfds.core.DatasetNotFoundError,
        NotImplementedError,
        AssertionError,
        ValueError,
        OSError,
    ) as error:
        raise InputError(f"tfds:{name}: {str(error).splitlines()[0]}") from None


def _check_split(name: str, wanted: str, splits: Any) -> None:
    """Refuse a split that the set has not, or of which a file is missing."""
    if wanted not in splits:
        found = ", ".join(splits) or "none: the set is not prepared, run `tfds build`"
        raise InputError(f"tfds:{name} has no split {wanted!r} (splits: {found}).")
    gone = [path for path in splits[wanted].filepaths if not Path(path).is_file()]
    if gone:
        raise InputError(
            f"tfds:{name}: {gone[0]} is missing; prepare the set again with `tfds build`."
        )
