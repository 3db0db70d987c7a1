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
    """A split of a TFDS set by random access; images are squares of one size or are refused when
    read."""

    structure = 0
    has_captions = False

    def __init__(self, name: str, split: str, root: Path | None):
        import tensorflow_datasets as tfds

        try:
            builder: Any = tfds.builder(name, data_dir=None if root is None else str(root))
            wanted = "validation" if split == "val" else split
            if wanted not in builder.info.splits:
                found = (
                    ", ".join(builder.info.splits)
                    or "none: the set is not prepared, run `tfds build`"
                )
                raise InputError(f"tfds:{name} has no split {wanted!r} (splits: {found}).")
            gone = [
                path for path in builder.info.splits[wanted].filepaths if not Path(path).is_file()
            ]
            if gone:
                raise InputError(
                    f"tfds:{name}: {gone[0]} is missing; prepare the set again with `tfds build`."
                )
            self._source = builder.as_data_source(split=wanted)
        except (
            tfds.core.DatasetNotFoundError,
            NotImplementedError,
            AssertionError,
            ValueError,
            OSError,
        ) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"tfds:{name}: {str(error).splitlines()[0]}") from None
        features = builder.info.features
        if features is None or "image" not in features:
            raise InputError(f"tfds:{name} has no feature 'image'.")
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
            raise InputError(f"{self.name}/{index}: an image of {image.shape} is no square.")
        label = int(record["label"]) if self.classes else -1
        return ImageExample(
            f"{self.name}/{index}", np.ascontiguousarray(image.transpose(2, 0, 1)), label
        )
