"""The readers of recordings: one table for the command line, the registry and recognition."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pixelpush.datasets.readers.images_refused import refuse_image_set
from pixelpush.errors import InputError


@dataclass(frozen=True)
class Reader:
    """A row of the table. module: under this package, with ``Options``, ``recognise`` and ``read``.

    public: a set known by name, whose store is called like the reader. damage_limit: what
    --damage-limit is where it is not given.

    >>> Reader("folder", "folder", "Prepare your own recordings.").damage_limit
    0
    """

    name: str
    module: str
    summary: str
    public: bool = False
    damage_limit: int = 0

    def load(self) -> ModuleType:
        """The reader's module, imported only when it is used.

        >>> find_reader("folder").load().Options().size
        64
        """
        return importlib.import_module(f"pixelpush.datasets.readers.{self.module}")


# In the order in which recordings are recognised: folders, which anything may be, last.
READERS = (
    Reader(
        "google-push",
        "google_push",
        "Prepare the Google robot pushing data set from its public TFRecords.",
        public=True,
        damage_limit=20,
    ),
    Reader(
        "bair",
        "bair",
        "Prepare BAIR robot pushing (small) from its TFRecords or from a folder made by TFDS.",
        public=True,
        damage_limit=20,
    ),
    Reader("moving-mnist", "moving_mnist", "Prepare Moving MNIST from MNIST's idx files.", True),
    Reader("lerobot", "lerobot", "Prepare a LeRobot data set (v2.0, v2.1 or v3.0)."),
    Reader("rlds", "rlds", "Prepare an RLDS data set (Open X) from a TFDS folder or TFRecords."),
    Reader("hdf5", "hdf5", "Prepare robomimic or ALOHA HDF5 files."),
    Reader("zarr", "zarr_replay", "Prepare a diffusion-policy zarr replay buffer."),
    Reader("stacked-npz", "stacked_npz", "Prepare NPZ episodes of stacked frames."),
    Reader(
        "folder",
        "folder",
        "Prepare your own recordings: one sub-folder, .zip or .npz per episode (docs/data.md).",
    ),
)


def find_reader(name: str) -> Reader:
    """The reader of a name; another name is an InputError that lists them.

    >>> find_reader("zarr").module
    'zarr_replay'
    """
    for reader in READERS:
        if reader.name == name:
            return reader
    raise InputError(
        f"no reader {name!r}; there are {', '.join(reader.name for reader in READERS)}."
    )


def recognise(raw: Path) -> tuple[Reader, str]:
    """Which reader suits what lies in ``raw``, and in words what it is.

    Raises InputError where nothing is recognised, naming what lies there, and for image sets.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "push_train.tfrecord-00000-of-00264").touch()
    ...     reader, what = recognise(Path(folder))
    >>> reader.name, what
    ('google-push', 'the Google robot pushing set')
    """
    if not raw.exists():
        raise InputError(f"{raw}: no such file or folder.")
    for reader in READERS:
        if reader.name == "folder":  # which would take the pictures for an episode
            refuse_image_set(raw)
        what = reader.load().recognise(raw)
        if what is not None:
            return reader, what
    inside = sorted(path.name for path in raw.iterdir())[:6] if raw.is_dir() else [raw.name]
    raise InputError(
        f"{raw}: not recognised (it holds {', '.join(inside) or 'nothing'}); docs/data.md lists "
        "what is read, and 'pixelpush prepare NAME --help' the options."
    )
