"""The two networks of perceptual measures, whose weights users bring: LPIPS on AlexNet, and I3D.

Both follow their authors' published code, and take the names of the weights in its files. No
weights ship and none are fetched; a file is read as tensors only, never as code."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pixelpush.errors import InputError


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a state dictionary saved by torch.

    Raises InputError for a file that is missing, damaged or holds anything but tensors.

    >>> read_state(Path("nowhere.pt"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere.pt: no such file; name a file of weights ...
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; name a file of weights (docs/evaluation.md).")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        SafetensorError,
        pickle.UnpicklingError,
        struct.error,
        RuntimeError,
        OSError,
        EOFError,
    ) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: not a file of weights ({reason}); see docs/evaluation.md."
        ) from None
    if not isinstance(state, dict) or not all(isinstance(x, Tensor) for x in state.values()):
        raise InputError(f"{path}: holds no state dictionary of tensors; save state_dict() alone.")
    return state


def filled(model: nn.Module, state: Mapping[str, Tensor], path: Path) -> nn.Module:
    """The model in evaluation mode with the weights; InputError names what is missing or another
    shape. What the model does not know is ignored.

    >>> filled(nn.Linear(2, 1), {"weight": torch.zeros(1, 3)}, Path("a.pt"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: a.pt: weight should be (1, 2), the file has (1, 3); it is ...
    """
    for name, own in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name not in state or state[name].shape != own.shape:
            found = tuple(state[name].shape) if name in state else "nothing"
            raise InputError(
                f"{path}: {name} should be {tuple(own.shape)}, the file has {found}; it is not the "
                "network of docs/evaluation.md."
            )
    model.load_state_dict({k: v for k, v in state.items() if k in model.state_dict()}, strict=False)
    return model.eval().requires_grad_(False)


class LPIPS(nn.Module):
    """Learned perceptual distance on AlexNet (Zhang et al. 2018, equation 1).

    Names of the weights are those of ``lpips.LPIPS(net="alex").state_dict()``.

    >>> network = LPIPS()
    >>> picture = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    >>> network(picture, picture).tolist()
    [0.0]
    """

    smallest = 31  # pixels that AlexNet's last layers need
    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.ModuleDict(
            {
                "slice1": nn.ModuleDict({"0": nn.Conv2d(3, 64, 11, 4, 2)}),
                "slice2": nn.ModuleDict({"3": nn.Conv2d(64, 192, 5, 1, 2)}),
                "slice3": nn.ModuleDict({"6": nn.Conv2d(192, 384, 3, 1, 1)}),
                "slice4": nn.ModuleDict({"8": nn.Conv2d(384, 256, 3, 1, 1)}),
                "slice5": nn.ModuleDict({"10": nn.Conv2d(256, 256, 3, 1, 1)}),
            }
        )
        for number, channels in enumerate((64, 192, 384, 256, 256)):
            layer = nn.ModuleDict({"1": nn.Conv2d(channels, 1, 1, bias=False)})
            self.add_module(f"lin{number}", nn.ModuleDict({"model": layer}))
        # Of the published code: its inputs are in [-1, 1].
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]), persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]), persistent=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Distances (N,) of uint8 (N, 3, H, W) pictures."""
        total = torch.zeros(len(first), device=first.device)
        pairs = zip(self._features(first), self._features(second), strict=True)
        for number, (a, b) in enumerate(pairs):
            weigh = self.get_submodule(f"lin{number}.model.1")
            total = total + weigh((_unit(a) - _unit(b)).square()).mean(dim=(1, 2, 3))
        return total

    def _features(self, pictures: Tensor) -> list[Tensor]:
        x = pictures.float() / 127.5 - 1
        x = (x - self.shift[:, None, None]) / self.scale[:, None, None]
        found = []
        for number, layers in enumerate(self.net.values()):
            if number in (1, 2):
                x = F.max_pool2d(x, 3, 2)
            for layer in layers.values():  # type: ignore[operator]
                x = F.relu(layer(x))
            found.append(x)
        return found


def _unit(features: Tensor) -> Tensor:
    """Unit length along the channels."""
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)


# Channels of I3D's Inception blocks: input, then (b0, b1a, b1b, b2a, b2b, b3b); Carreira and
# Zisserman 2017, figure 3.
_MIXED = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}
# What pools before a block: (window, stride) in time, height and width.
_POOLS = {
    "Conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
    "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
}


class _Unit(nn.Module):
    """Convolution with TensorFlow's 'same' padding, batch norm, ReLU."""

    def __init__(self, given: int, channels: int, kernel: int, stride: int = 1, last: bool = False):
        super().__init__()
        self.conv3d = nn.Conv3d(given, channels, kernel, stride, bias=last)
        self.bn = None if last else nn.BatchNorm3d(channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3d(_padded(x, self.conv3d.kernel_size, self.conv3d.stride))
        return x if self.bn is None else F.relu(self.bn(x))


class _Mixed(nn.Module):
    """An Inception block."""

    def __init__(self, given: int, channels: tuple[int, ...]):
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = channels
        self.b0 = _Unit(given, b0, 1)
        self.b1a = _Unit(given, b1a, 1)
        self.b1b = _Unit(b1a, b1b, 3)
        self.b2a = _Unit(given, b2a, 1)
        self.b2b = _Unit(b2a, b2b, 3)
        self.b3b = _Unit(given, b3b, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = _max_pool(x, (3, 3, 3), (1, 1, 1))
        parts = [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)]
        return torch.cat(parts, dim=1)


class I3D(nn.Module):
    """Inception I3D on RGB (Carreira and Zisserman 2017), whose class scores FVD compares.

    Names of the weights are those of the widespread PyTorch file ``rgb_imagenet.pt``.

    >>> with torch.device("meta"):
    ...     network = I3D()
    >>> len(network.blocks), network.fewest_frames
    (13, 9)
    """

    fewest_frames = 9  # that leave two after pooling
    side = 224

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict({"Conv3d_1a_7x7": _Unit(3, 64, 7, 2)})
        self.blocks["Conv3d_2b_1x1"] = _Unit(64, 64, 1)
        self.blocks["Conv3d_2c_3x3"] = _Unit(64, 192, 3)
        for name, (given, channels) in _MIXED.items():
            self.blocks[name] = _Mixed(given, channels)
        self.blocks["logits"] = _Unit(1024, 400, 1, last=True)

    def forward(self, videos: Tensor) -> Tensor:
        """Class scores (N, 400), averaged over time, of uint8 (N, T, 3, H, W) videos."""
        count, frames = videos.shape[:2]
        pictures = videos.flatten(0, 1).float() / 127.5 - 1
        size = (self.side, self.side)
        pictures = F.interpolate(pictures, size, mode="bilinear", align_corners=False)
        x = pictures.unflatten(0, (count, frames)).transpose(1, 2)
        for name, block in self.blocks.items():
            if name in _POOLS:
                x = _max_pool(x, *_POOLS[name])
            if name == "logits":
                x = F.avg_pool3d(x, (2, 7, 7), 1)
            x = block(x)
        return x.mean(dim=(2, 3, 4))


def _max_pool(x: Tensor, window: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    return F.max_pool3d(_padded(x, window, stride), window, stride)


def _padded(x: Tensor, window: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Zeros around, so that the output has ceil(size / stride) entries; the odd one goes last."""
    pads: list[int] = []
    for size, width, step in zip(x.shape[2:], window, stride, strict=True):
        total = max(width - (step if size % step == 0 else size % step), 0)
        pads = [total // 2, total - total // 2, *pads]
    return F.pad(x, pads)
