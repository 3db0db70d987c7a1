"""A device without hardware: CPU arithmetic behind tensors that say they lie elsewhere.

What a GPU would refuse or wait for is found on any machine: an operation on tensors of two devices
raises, and every read of a value by the host, which stalls a GPU and breaks a graph's capture, is
counted. Results are those of the CPU to the last bit, because the CPU computes them. What only a
GPU has, such as fused kernels of its own (the GRU of captions) and autocast, is not here.

The device is PyTorch's place for backends of others ('privateuseone'), under the name 'standin'. A
``TorchDispatchMode`` sees every operation below autograd, factories among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from torch import Tensor
from torch.utils import _pytree as tree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

# Operations that hand a value, or a size that depends on values, to the host.
HOST_READS = (
    "aten::_local_scalar_dense",
    "aten::equal",
    "aten::is_nonzero",
    "aten::item",
    "aten::masked_select",
    "aten::nonzero",
    "aten::unique",
    "aten::_unique2",
)
# Operations of which CUDA has no reproducible form, refused under deterministic algorithms; sums of
# whole numbers are the same in every order.
IRREPRODUCIBLE = ("aten::grid_sampler_2d_backward", "aten::cumsum", "aten::scatter_add_")


class StandInTensor(Tensor):
    """A tensor on the stand-in device; ``held`` is its value, on the CPU."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> StandInTensor:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
            requires_grad=held.requires_grad,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise AssertionError(f"{function} ran outside of `stand_in`.")


class MixedDevices(RuntimeError):
    """An operation took tensors of two devices."""


class NotOnTheDevice(RuntimeError):
    """The device has no such operation: float64, as Apple's GPUs, or an irreproducible one."""


class Watch(TorchDispatchMode):
    """Sends operations to the CPU and counts ``reads`` by the host and ``copies`` to the device."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[str] = Counter()
        self.copies: Counter[str] = Counter()

    def forget(self) -> None:
        """Start counting anew."""
        self.reads.clear()
        self.copies.clear()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = function._schema.name
        tensors = [x for x in tree.tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        comes = any(isinstance(x, StandInTensor) for x in tensors)
        if name == "aten::copy_":  # into the first from the second
            goes = isinstance(args[0], StandInTensor)
            comes = isinstance(args[1], StandInTensor)
        elif kwargs.get("device") is not None:
            goes = torch.device(kwargs.pop("device")).type == DEVICE.type
            kwargs["device"] = torch.device("cpu")
        else:
            goes = comes
        if name not in ("aten::_to_copy", "aten::copy_"):
            self._refuse_mixed(name, tensors)
        elif goes and not comes:
            self.copies[name] += 1
        if comes and (name in HOST_READS or not goes or _by_mask(name, tensors)):
            self.reads[name] += 1
        inexact = any(tensor.dtype.is_floating_point for tensor in tensors)
        strict = goes and inexact and torch.are_deterministic_algorithms_enabled()
        if strict and name in IRREPRODUCIBLE:
            raise NotOnTheDevice(f"{name} has no deterministic form")
        plain_args, plain_kwargs = tree.tree_map_only(
            StandInTensor, lambda x: x.held, (args, kwargs)
        )
        result = function(*plain_args, **plain_kwargs)
        return self._hand_back(args, kwargs, result) if goes else result

    @staticmethod
    def _refuse_mixed(name: str, tensors: list[Tensor]) -> None:
        # A CPU scalar may enter anywhere, as on CUDA.
        devices = {isinstance(x, StandInTensor) for x in tensors if x.ndim}
        if len(devices) > 1:
            places = [f"{tuple(x.shape)} on {x.device}" for x in tensors]
            raise MixedDevices(f"{name} of tensors {', '.join(places)}")

    @staticmethod
    def _hand_back(args, kwargs, result):
        """Wrap what is new; what an operation wrote in place is the same object again."""
        given = {
            id(x.held): x for x in tree.tree_leaves((args, kwargs)) if isinstance(x, StandInTensor)
        }

        def wrap(value: Tensor) -> Tensor:
            if value.dtype == torch.float64:
                raise NotOnTheDevice("float64")
            known = given.get(id(value))
            return StandInTensor(value) if known is None else known

        return tree.tree_map_only(Tensor, wrap, result)


def _by_mask(name: str, tensors: list[Tensor]) -> bool:
    """Whether an index is a mask, whose number of places only the host can learn."""
    if name not in ("aten::index", "aten::index_put_", "aten::index_put"):
        return False
    return any(tensor.dtype == torch.bool for tensor in tensors[1:])


@contextmanager
def stand_in() -> Iterator[Watch]:
    """Within this block ``to(DEVICE)`` and ``device=DEVICE`` work; the value counts.

    Inference mode is ``no_grad`` here: PyTorch makes no views of wrapped tensors in it."""
    with Watch() as watch, mock.patch.object(torch._C, "_InferenceMode", _no_grad):
        yield watch


def _no_grad(mode: bool) -> torch.no_grad:
    return torch.no_grad()


def held(values):
    """The CPU values of a structure of stand-in tensors, for comparisons."""
    return tree.tree_map_only(StandInTensor, lambda x: x.held, values)


class _Module:
    """What PyTorch asks a backend's module for."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """Nothing is drawn on this device."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


_setup_privateuseone_for_python_backend("standin", backend_module=_Module())
DEVICE = torch.device("standin", 0)
