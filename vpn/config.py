"""What a video model is: one frozen configuration, checked where it is made."""

from __future__ import annotations

from dataclasses import dataclass

from pixelpush.errors import InputError

ACTION_KINDS = ("pose", "delta", "other")
ENCODERS = ("convlstm", "layered")
KINDS = ("baseline", "otn", "ot", "otlogn")
POSITIVE = (
    *("frame_size", "colours", "channels", "encoder_blocks", "lstm_channels", "patch"),
    *(
        "decoder_channels",
        "decoder_blocks",
        "components",
        "softmax_hidden",
        "base_size",
        "base_layers",
        "feature_channels",
    ),
)
# No size or count above this is meant; it bounds what a damaged configuration can ask for.
LARGEST = 4096


@dataclass(frozen=True)
class VideoConfig:
    """Sizes and choices of a ``VideoPixelNetwork``.

    kind: the decoder (Table 2): baseline O(T), otn O(TN), ot O(T), otlogn O(T log N). channels,
    lstm_channels, decoder_channels: widths of the frame encoder, its ConvLSTM and the decoder.
    patch: side of the pixel blocks that the frame encoder folds into channels. 1 is the paper's
    resolution-preserving
        encoder; 2 does the same work on a quarter of the positions.
    coarse_scales: extra encoder scales, each at half the resolution of the one before, for a wide
    view. 0: the paper's. skip: give the decoder the frame encoder's features beside the ConvLSTM's
    output. encoder_block, decoder_block: 'multiplicative' (Kalchbrenner et al. 2016) or 'residual'.
    distribution: 'softmax', 'logistic', or 'independent-softmax' / 'independent-logistic' (channels
    ignore each other). centred: distributions count from a running mean of the same sub-pixel, and
    networks see differences from it too. still_levels: how far a reading may depart from that mean,
    in levels, before it starts anew (vpn/background.py);
        0: the mean is the previous frame.
    motion: distributions count from the last frame moved by a predicted flow over that mean
    (vpn/motion.py), which the
        decoder sees too.
    motion_weight: of the moved picture's error in the training loss, in nats per level of its mean
    distance from the
        frame; the likelihood alone teaches motion many times more slowly. No part of what is
        reported.
    relative_action: where states and actions have the same entries, networks also see action minus
    state, scaled up:
        a commanded pose differs little from the present one.
    action_kind: what actions are: 'pose' (like the state), 'delta' (its change) or 'other'; only of
    a pose can the state be taken away.
    encoder: 'convlstm', the papers', or 'layered' (vpn/layered/): the arm drawn from its state over
    a memory of what is still. feature_channels: what the layered encoder hands to the decoder.
    base_size, base_layers: the base image of 'otlogn' and the depth of its Gated PixelCNN.
    """

    kind: str = "ot"
    frame_size: int = 64
    colours: int = 3
    state_dim: int = 5
    action_dim: int = 5
    channels: int = 32
    encoder_blocks: int = 4
    coarse_scales: int = 2
    lstm_channels: int = 32
    skip: bool = True
    patch: int = 2
    encoder_block: str = "residual"
    decoder_block: str = "residual"
    decoder_channels: int = 32
    decoder_blocks: int = 2
    distribution: str = "logistic"
    components: int = 10
    softmax_hidden: int = 128
    centred: bool = True
    still_levels: float = 5.0
    motion: bool = False
    motion_weight: float = 0.5
    relative_action: bool = False
    action_kind: str = "pose"
    encoder: str = "convlstm"
    feature_channels: int = 64
    base_size: int = 8
    base_layers: int = 6

    def __post_init__(self):
        if self.kind not in KINDS:
            raise InputError(
                f"unknown video model {self.kind!r}; choose one of {', '.join(KINDS)}."
            )
        if self.action_kind not in ACTION_KINDS:
            raise InputError(
                f"action_kind must be one of {', '.join(ACTION_KINDS)}, got {self.action_kind!r}."
            )
        for name in POSITIVE:
            if not 1 <= getattr(self, name) <= LARGEST:
                raise InputError(
                    f"{name} must be between 1 and {LARGEST}, got {getattr(self, name)}."
                )
        for name, most in (
            ("state_dim", LARGEST),
            ("action_dim", LARGEST),
            ("coarse_scales", 12),
            ("still_levels", 256),
            ("motion_weight", 256),
        ):
            if not 0 <= getattr(self, name) <= most:
                raise InputError(f"{name} must be between 0 and {most}, got {getattr(self, name)}.")
        if self.patch & (self.patch - 1):
            raise InputError(f"patch must be a power of two, got {self.patch}.")
        smallest = self.patch * 2**self.coarse_scales
        if self.frame_size % smallest or self.frame_size % 2:
            raise InputError(
                f"frame_size {self.frame_size} must be even and a multiple of {smallest} (patch x "
                "2^coarse_scales)."
            )
        if self.kind == "otlogn":
            ratio = self.frame_size // self.base_size
            if self.base_size * ratio != self.frame_size or ratio & (ratio - 1) or ratio < 2:
                raise InputError(
                    f"frame_size {self.frame_size} must be base_size {self.base_size} times a "
                    "power of 2."
                )
        if self.encoder not in ENCODERS:
            raise InputError(
                f"unknown encoder {self.encoder!r}; choose one of {', '.join(ENCODERS)}."
            )
        if self.encoder == "layered":
            if not self.centred:
                raise InputError("the layered encoder composes a centre: it needs centred=true.")
            if self.frame_size & (self.frame_size - 1) or self.frame_size < 8:
                raise InputError(
                    f"the layered encoder draws frames of 8, 16, 32, 64, ... pixels, not "
                    f"{self.frame_size}."
                )
        if self.motion and not self.centred:
            raise InputError(
                "motion moves the image that distributions count from: it needs centred=true."
            )
        if self.kind == "baseline" and not self.distribution.startswith("independent-"):
            raise InputError(
                "the baseline's channels ignore each other: distribution must be independent-...."
            )

    @property
    def composes(self) -> bool:
        """Whether the centre is a picture with weights of its own, taught by its own error."""
        return self.motion or self.encoder == "layered"

    @property
    def vector_dim(self) -> int:
        """Numbers that enter the encoder with every frame: state, action and perhaps their
        difference."""
        return self.state_dim + self.action_dim + (self.state_dim if self.sees_change else 0)

    @property
    def sees_change(self) -> bool:
        """Whether action minus state enters."""
        matched = self.state_dim == self.action_dim and self.action_kind == "pose"
        return self.relative_action and matched

    @property
    def grid(self) -> int:
        """Side of the frame encoder's feature maps."""
        return self.frame_size // self.patch
