"""Video models by name: the kinds, the papers' sizes and ours.

What all kinds share stands here; each kind's own settings stand in its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pixelpush.registry import Registry
from pixelpush.settings import check_settings
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.kinds import KINDS

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
# Ours: the layered encoder (vpn/layered/) on 2x2 pixel blocks with a coarse view of the whole
# frame, distributions centred on what it composes, and logistic mixtures for all kinds. Sizes for a
# GPU, and for a CPU core.
_OURS = {
    "encoder": "layered",
    "relative_action": True,
    "coarse_scales": 3,
    "motion_weight": 0.2,
    "error_weight": 0.35,
}
_PUSH = {
    "channels": 96,
    "encoder_blocks": 4,
    "lstm_channels": 96,
    "decoder_channels": 96,
    "decoder_blocks": 3,
    "feature_channels": 192,
}
_SMALL = {
    "channels": 32,
    "encoder_blocks": 2,
    "lstm_channels": 32,
    "decoder_channels": 32,
    "components": 5,
}


def model_presets() -> dict[str, Mapping[str, Any]]:
    """Return the settings of every preset by name, derived from the records of the kinds.

    paper-<kind>, paper-<kind>-<variant>: the paper's sizes; push-<kind>: ours for one GPU;
    push-<kind>-small: ours for a CPU.

    >>> model_presets()["paper-ot"]["decoder_channels"]
    128
    """
    papers = {
        f"paper-{kind.name}": {**_PAPER, "kind": kind.name, **kind.paper}
        for kind in KINDS.values()
        if kind.paper is not None
    }
    papers |= {
        f"paper-{kind.name}-{variant}": {**papers[f"paper-{kind.name}"], **settings}
        for kind in KINDS.values()
        for variant, settings in kind.variants.items()
    }
    gpu = {
        f"push-{kind.name}": {"kind": kind.name, **_OURS, **_PUSH, **kind.gpu}
        for kind in KINDS.values()
    }
    small = {
        f"push-{kind.name}-small": {"kind": kind.name, **_OURS, **_SMALL, **kind.small}
        for kind in KINDS.values()
    }
    return {**papers, **gpu, **small}


def video_config(name: str, **overrides: Any) -> VideoConfig:
    """Return the configuration of a preset or of a bare kind ('ot', 'otn', ...), with overrides.

    An unknown name or setting raises InputError.

    >>> video_config("push-ot-small", channels=48).channels
    48
    """
    bare = {
        kind.name: {"kind": kind.name, "distribution": kind.distribution} for kind in KINDS.values()
    }
    settings = Registry("video model", {**bare, **model_presets()}).find(name)
    check_settings(name, overrides, {field.name: field.default for field in fields(VideoConfig)})
    return VideoConfig(**{**settings, **overrides})
