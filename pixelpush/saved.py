"""A saved model: a folder with ``model.json`` (what to build) and ``model.safetensors`` (its
weights). A leaf module.

Nothing here executes code from a file: JSON and safetensors only. The weights' names and shapes are
compared with the built model's, from the file's header, before a single tensor is read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from safetensors import SafetensorError, safe_open

from pixelpush.errors import InputError
from pixelpush.files import atomic_folder, is_complete, read_json_object, write_json
from pixelpush.hub import fetch, is_on_hub

# torch is loaded by what reads or writes weights, so that a name is looked up at once.
if TYPE_CHECKING:
    from torch import Tensor, nn

Model = TypeVar("Model", bound="nn.Module")

FORMAT = 1
FAMILIES = ("video", "image", "upscaler", "pose")
WEIGHTS = "model.safetensors"
SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class SavedModel:
    """Where a saved model lies and what it is.

    family: one of FAMILIES. config: keywords of its builder.

    >>> find_saved("push-ot-small").config["kind"]
    'ot'
    """

    folder: Path
    family: str
    config: Mapping[str, Any]

    def restore(self, build: Callable[[], Model]) -> Model:
        """Build the model and fill it with the weights.

        It is first built without memory, and every name and shape is compared with the file's
        header, so that a false configuration allocates nothing. Half precision is widened to the
        model's own. Raises InputError where the file is not this model's."""
        file = self.folder / WEIGHTS
        check_tensors(file, built_empty(build).state_dict())
        model = build()
        load_tensors(file, model.state_dict(), model.load_state_dict)
        return model


def built_empty(build: Callable[[], Model]) -> Model:
    """Return a new model that has shapes and no memory; no numbers are drawn.

    >>> from pixelpush.vpn import build_model
    >>> model = built_empty(lambda: build_model("ot", frame_size=8, coarse_scales=0))
    >>> {weights.device.type for weights in model.parameters()}
    {'meta'}
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class NothingDrawn(TorchFunctionMode):
        """Normal draws on the meta device load torch's compiler: over a second, for nothing."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            kwargs = kwargs or {}
            if func is torch.Tensor.normal_:
                return args[0]
            if func is torch.nn.init.normal_:
                return kwargs["tensor"]
            return func(*args, **kwargs)

    with torch.device("meta"), NothingDrawn():
        return build()


def save_model(model: Any, folder: str | Path) -> None:
    """Write a model of any family as a folder that ``pixelpush.vpn.load_model`` reads.

    folder must not exist. The model names its ``family`` and has a dataclass ``config``.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, Path(folder) / "saved")
    ...     find_saved(Path(folder) / "saved").family
    'video'
    """
    with atomic_folder(folder) as partial:
        save_model_files(partial, model.family, asdict(model.config), model.state_dict())


def save_model_files(
    folder: Path, family: str, config: Mapping[str, Any], state: Mapping[str, Tensor]
) -> None:
    """Write ``model.json`` and ``model.safetensors`` into an existing folder.

    Use it inside ``atomic_folder``.

    >>> import tempfile
    >>> import torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model_files(Path(folder), "video", {"kind": "ot"}, {"weight": torch.zeros(1)})
    ...     sorted(file.name for file in Path(folder).iterdir())
    ['model.json', 'model.safetensors']
    """
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    # Written by Python: a full disk then raises OSError, not an error of the format's own.
    (folder / WEIGHTS).write_bytes(save(tensors))
    write_json(folder / "model.json", {"format": FORMAT, "family": family, "config": dict(config)})


def find_saved(name_or_path: str | Path) -> SavedModel:
    """Resolve a saved model's folder, a run folder, a shipped name or ``hf://owner/name``.

    Of a run folder it is the best save, or else the newest complete one. Raises InputError where
    there is none.

    >>> find_saved("push-ot-small").family
    'video'
    """
    folder = _resolve(Path(name_or_path), str(name_or_path))
    try:
        header = read_json_object(folder / "model.json")
    except InputError:
        # A run in training drops old saves, perhaps between finding this one and reading it.
        if folder.exists():
            raise
        return find_saved(name_or_path)
    if header.get("format") != FORMAT:
        raise InputError(
            f"{folder}/model.json: format {header.get('format')!r} is not format {FORMAT}, which "
            "this version reads; use the version that wrote it."
        )
    if header.get("family") not in FAMILIES or not isinstance(header.get("config"), dict):
        raise InputError(
            f"{folder}/model.json: needs a family ({', '.join(FAMILIES)}) and a config; the file "
            "is damaged."
        )
    return SavedModel(folder, header["family"], header["config"])


def complete_saves(run: Path) -> list[Path]:
    """Return the complete saves ``run/checkpoints/<examples>`` of a run folder, oldest first.

    >>> complete_saves(Path("no-such-run"))
    []
    """
    return [save for save in numbered_saves(run) if is_complete(save)]


def numbered_saves(run: Path) -> list[Path]:
    """Return all folders ``run/checkpoints/<examples>``, oldest first.

    Folders with other names, such as a copy '...-backup', are left out.

    >>> numbered_saves(Path("no-such-run"))
    []
    """
    folder = run / "checkpoints"
    # Listed and not searched for: a folder that may not be read is an error, not an empty one.
    saves = list(folder.iterdir()) if folder.is_dir() else []
    return sorted(
        (save for save in saves if save.name.isascii() and save.name.isdigit()),
        key=lambda save: int(save.name),
    )


def check_tensors(file: Path, expected: Mapping[str, Tensor], prefix: str = "") -> None:
    """Refuse a safetensors file whose names and shapes are not ``expected``'s.

    Only its header is read, and only names that begin with ``prefix`` count. Raises InputError.

    >>> check_tensors(SHIPPED / "push-ot-small" / WEIGHTS, {})
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: ...not this model's weights. Those of another version ...
    """
    with _opened(file) as tensors:
        names = tensors.keys()
        found = {name: tuple(tensors.get_slice(name).get_shape()) for name in names}
    wanted = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    _compare_shapes(file, _under(prefix, wanted), _under(prefix, found))


def load_tensors(
    file: Path,
    expected: Mapping[str, Tensor],
    accept: Callable[[dict[str, Tensor]], object],
    prefix: str = "",
) -> None:
    """Read a safetensors file and hand its tensors to ``accept``.

    Only those whose names begin with ``prefix`` are read. Raises InputError unless names and shapes
    are ``expected``'s and every number is finite.

    >>> import tempfile
    >>> import torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model_files(Path(folder), "video", {}, {"weight": torch.ones(1)})
    ...     load_tensors(Path(folder) / WEIGHTS, {"weight": torch.zeros(1)}, print)
    {'weight': tensor([1.])}
    """
    check_tensors(file, expected, prefix)
    with _opened(file) as tensors:
        values = {
            name: tensors.get_tensor(name).to(like.dtype)
            for name, like in _under(prefix, expected).items()
        }
    for name, value in values.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise InputError(
                f"{file}: {name} is not finite everywhere; the weights have diverged or are "
                "damaged. Use another save or train again."
            )
    accept(values)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Any]:
    if not file.is_file():
        raise InputError(
            f"{file}: no such file; the save is incomplete. Use another one or train again."
        )
    try:
        opened = safe_open(file, framework="pt")
    except (
        SafetensorError,
        OSError,
        RuntimeError,
    ) as error:  # RuntimeError: torch cannot map a file of that size
        raise _damaged(file, error) from None
    try:
        with opened as tensors:
            yield tensors
    except (SafetensorError, OSError) as error:
        raise _damaged(file, error) from None


def _under(prefix: str, named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name.startswith(prefix)}


def _damaged(file: Path, error: Exception) -> InputError:
    return InputError(f"{file}: damaged weights ({error}). Use another save or train again.")


def _compare_shapes(file: Path, wanted: Mapping[str, tuple], found: Mapping[str, tuple]) -> None:
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            expected = wanted.get(name, "nothing")
            actual = found.get(name, "nothing")
            raise InputError(
                f"{file}: {name} should be {expected} but the file has {actual}; not this model's "
                "weights. Those of another version of PixelPush are read by that version; here, "
                "train again."
            )


def _resolve(path: Path, name: str) -> Path:
    if is_on_hub(name):
        return fetch(name)
    if (path / "model.json").is_file():
        return path
    if (path / "checkpoints").is_dir():
        saves = complete_saves(path)
        if not saves:
            raise InputError(f"{path}: this run has no complete save yet; train it further first.")
        best = path / "best.json"
        named = read_json_object(best).get("save") if best.is_file() else None
        chosen = path / "checkpoints" / str(named)
        return chosen if chosen in saves else saves[-1]
    if (SHIPPED / name / "model.json").is_file():
        return SHIPPED / name
    shipped = ", ".join(sorted(p.parent.name for p in SHIPPED.glob("*/model.json"))) or "none"
    raise InputError(
        f"{name}: neither a run folder, a saved model nor a shipped one (shipped: {shipped}); "
        "hf://owner/name is one on the Hub."
    )
