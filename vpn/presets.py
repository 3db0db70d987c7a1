"""Video models by name: the four kinds, the paper's sizes, and ours."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pixelpush.errors import InputError
from pixelpush.settings import check_settings
from pixelpush.vpn.config import KINDS, VideoConfig

# Frame encoder of the papers: 8 residual multiplicative blocks at full resolution, c = 128 (2c =
# 256 between blocks), ConvLSTM of 256 (Kalchbrenner et al. 2016, section 5; Reed et al. 2017,
# section 4.3); networks see frames alone.
_PAPER = {
    "channels": 256,
    "encoder_blocks": 8,
    "coarse_scales": 0,
    "lstm_channels": 256,
    "skip": False,
    "patch": 1,
    "encoder_block": "multiplicative",
    "decoder_block": "multiplicative",
    "centred": False,
    "softmax_hidden": 256,
}
# Upscalers of 12 residual layers (6 blocks of 2) of 128 units, the sizes of section 4.2: for video
# it names none.
_PAPER_UPSCALER = {"decoder_block": "residual", "decoder_channels": 128, "decoder_blocks": 6}

# Ours: the encoder works on 2x2 pixel blocks with a coarse view of the whole frame, distributions
# count from the frame before, and all four kinds use logistic mixtures. Sizes for a GPU, and for
# two CPU cores.
_OURS = {"motion": True, "relative_action": True, "coarse_scales": 3}
_PUSH = {
    "channels": 96,
    "encoder_blocks": 4,
    "lstm_channels": 96,
    "decoder_channels": 96,
    "decoder_blocks": 3,
}
_SMALL = {
    "channels": 32,
    "encoder_blocks": 4,
    "lstm_channels": 32,
    "decoder_channels": 32,
    "components": 5,
}
_DECODERS: dict[str, dict[str, Any]] = {
    "baseline": {"distribution": "independent-logistic", "decoder_blocks": 8},
    "ot": {"distribution": "logistic"},
    "otlogn": {"distribution": "logistic"},
    "otn": {"distribution": "logistic", "decoder_blocks": 6},
}
# Depths that bring the small four nearer to one size: 0.6M, 1.0M for O(T log N), whose ten networks
# share nothing.
_EVEN: dict[str, dict[str, Any]] = {
    "baseline": {"decoder_blocks": 12},
    "ot": {},
    "otlogn": {"decoder_blocks": 1, "base_layers": 4},
    "otn": {"decoder_blocks": 8},
}

# The layered encoder (vpn/layered/), sizes for CPU cores.
_LAYERED = {
    "encoder": "layered",
    "relative_action": True,
    "encoder_blocks": 2,
    "coarse_scales": 3,
    "motion_weight": 0.2,
    "components": 5,
}

PRESETS: dict[str, dict[str, Any]] = {
    "paper-baseline": {
        **_PAPER,
        "kind": "baseline",
        "distribution": "independent-softmax",
        "decoder_channels": 256,
        "decoder_blocks": 12,
    },
    "paper-otn": {
        **_PAPER,
        "kind": "otn",
        "distribution": "softmax",
        "decoder_channels": 256,
        "decoder_blocks": 12,
    },
    "paper-ot": {
        **_PAPER,
        **_PAPER_UPSCALER,
        "kind": "ot",
        "distribution": "logistic",
        "components": 10,
    },
    "paper-otlogn": {
        **_PAPER,
        **_PAPER_UPSCALER,
        "kind": "otlogn",
        "distribution": "softmax",
        "base_layers": 12,
    },
    **{
        f"push-{kind}": {"kind": kind, **_OURS, **_PUSH, **_DECODERS.get(kind, {})}
        for kind in KINDS
    },
    **{
        f"push-{kind}-small": {
            "kind": kind,
            **_SMALL,
            **_LAYERED,
            **_DECODERS.get(kind, {}),
            **_EVEN.get(kind, {}),
        }
        for kind in KINDS
    },
}


def video_config(name: str, **overrides: Any) -> VideoConfig:
    """The configuration of a preset or of a bare kind ('ot', 'otn', ...), with overrides; unknown
    ones are refused."""
    if name not in PRESETS and name not in KINDS:
        raise InputError(
            f"unknown video model {name!r}; choose one of {', '.join([*KINDS, *PRESETS])}."
        )
    check_settings(name, overrides, {field.name: field.default for field in fields(VideoConfig)})
    return VideoConfig(**{**PRESETS.get(name, _kind_defaults(name)), **overrides})


def _kind_defaults(kind: str) -> dict[str, Any]:
    distribution = {"baseline": "independent-logistic", "ot": "logistic"}.get(kind, "softmax")
    return {"kind": kind, "distribution": distribution}
