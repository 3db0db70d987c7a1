"""What float32 means here. A leaf module."""

from __future__ import annotations

import torch


def use_exact_float32() -> None:
    """Let float32 mean float32 on every device: no matrix product or convolution in TF32.

    The one policy for training, validation, scoring and sampling, called where a device is chosen:
    a model is scored in the arithmetic that it was trained in, and a GPU's figures are a CPU's up
    to the order of sums. TF32 keeps 10 bits of a factor's mantissa; distribution parameters that
    went through it are off by up to a level. Whoever wants speed asks for bf16: the heads then
    still compute in float32.

    >>> use_exact_float32()
    >>> torch.get_float32_matmul_precision()
    'highest'
    """
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
