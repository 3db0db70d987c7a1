"""What a video model is: one frozen configuration, checked where it is made."""

from __future__ import annotations

from dataclasses import dataclass

from pixelpush.errors import InputError
from pixelpush.image.heads import DISTRIBUTIONS
from pixelpush.image.layers import BLOCKS
from pixelpush.settings import check_between, check_choice
from pixelpush.vpn.kinds import KINDS

ACTION_KINDS = ("pose", "delta", "other")
ENCODERS = ("convlstm", "layered")
POSITIVE = (
    "frame_size",
    "colours",
    "channels",
    "encoder_blocks",
    "encoder_dilation",
    "lstm_channels",
    "patch",
    "decoder_channels",
    "decoder_blocks",
    "components",
    "softmax_hidden",
    "base_size",
    "base_layers",
    "feature_channels",
)
# Settings that may be 0, with their largest sensible value.
BOUNDED = {
    "state_dim": 4096,
    "action_dim": 4096,
    "coarse_scales": 12,
    "still_levels": 256,
    "motion_weight": 256,
    "error_weight": 256,
    "objects": 64,
}
# No size or count above this is meant; it bounds what a damaged configuration can ask for.
LARGEST = 4096


@dataclass(frozen=True)
class VideoConfig:
    """Sizes and choices of a ``VideoPixelNetwork``.

    kind: the decoder, a name of ``vpn.kinds.KINDS``. channels, lstm_channels, decoder_channels:
    widths of the frame encoder, its ConvLSTM and the decoder. patch: side of the pixel blocks that
    the frame encoder folds into channels; 1 is the paper's resolution-preserving encoder, 2 does
    the same work on a quarter of the positions. coarse_scales: extra encoder scales, each at half
    the resolution of the one before, for a wide view; the papers have none. skip: give the decoder
    the frame encoder's features beside the ConvLSTM's output. encoder_block, decoder_block: names
    of ``image.layers.BLOCKS``. encoder_dilation: the largest dilation of the encoder's blocks,
    which take 1, 2, 4, ... up to it in turn; 8 is the papers' dilated variant.
    distribution: a name of ``image.heads.DISTRIBUTIONS``.

    centred: distributions describe the difference from a running mean of the same sub-pixel, and
    networks see that difference too. still_levels: how many levels a pixel may depart from that
    mean before the mean starts anew (vpn/background.py); with 0 the mean is the previous frame.
    motion: the centre is the last frame, moved by a predicted flow, laid over that mean
    (vpn/motion.py). motion_weight: weight of the moved picture's error in the training loss, in
    nats per level of its mean distance from the frame; the likelihood alone teaches motion many
    times more slowly. error_weight: weight, in nats per sub-pixel, of the penalty on how far
    samples stray from the truth (image/expected_error.py). Reported figures contain neither.

    relative_action: where states and actions have the same entries, networks also see action minus
    state, scaled up, because a commanded pose differs little from the present one. action_kind:
    what actions are: 'pose' (like the state), 'delta' (its change) or 'other'; the state is
    subtracted from poses only. encoder: 'convlstm', the papers', or 'layered' (vpn/layered/): the
    arm drawn from its state over a memory of what is still. feature_channels: what the layered
    encoder hands to the decoder. objects: how many objects of the first frame it leads along ways
    of their own (vpn/layered/objects.py), 0 for none. base_size, base_layers: the base image of
    'otlogn' and the depth of its Gated PixelCNN.

    Raises InputError for an unknown name and for a size out of bounds.

    >>> VideoConfig(kind="otn", frame_size=32, patch=2).grid
    16
    """

    kind: str = "ot"
    frame_size: int = 64
    colours: int = 3
    state_dim: int = 5
    action_dim: int = 5
    channels: int = 32
    encoder_blocks: int = 4
    encoder_dilation: int = 1
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
    error_weight: float = 0.0
    relative_action: bool = False
    action_kind: str = "pose"
    encoder: str = "convlstm"
    feature_channels: int = 64
    objects: int = 0
    base_size: int = 8
    base_layers: int = 6

    def __post_init__(self):
        kind = KINDS.find(self.kind)
        DISTRIBUTIONS.find(self.distribution)
        for block in (self.encoder_block, self.decoder_block):
            BLOCKS.find(block)
        check_choice("action_kind", self.action_kind, ACTION_KINDS)
        check_choice("encoder", self.encoder, ENCODERS)
        check_between(self, 1, LARGEST, *POSITIVE)
        for name, most in BOUNDED.items():
            check_between(self, 0, most, name)
        self._check_sizes()
        self._check_centre()
        kind.decoder.check_config(self)

    def _check_sizes(self) -> None:
        for name in ("patch", "encoder_dilation"):
            value = getattr(self, name)
            # n & (n - 1) drops the lowest bit of n: it is 0 for powers of two alone.
            if value & (value - 1):
                raise InputError(f"{name} must be a power of two, got {value}.")
        smallest = self.patch * 2**self.coarse_scales
        if self.frame_size % smallest or self.frame_size % 2:
            raise InputError(
                f"frame_size {self.frame_size} must be even and a multiple of {smallest} (patch x "
                "2^coarse_scales)."
            )
        odd = self.frame_size & (self.frame_size - 1) or self.frame_size < 8
        if self.encoder == "layered" and odd:
            raise InputError(
                f"the layered encoder draws frames of 8, 16, 32, 64, ... pixels, not "
                f"{self.frame_size}."
            )

    def _check_centre(self) -> None:
        if self.encoder == "layered" and not self.centred:
            raise InputError("the layered encoder composes a centre: it needs centred=true.")
        if self.objects and (self.encoder != "layered" or not self.state_dim):
            raise InputError("objects are pushed by a drawn arm: encoder=layered, with states.")
        if self.objects and self.frame_size < 16:
            raise InputError(
                f"objects are found in frames of 16 pixels or more, not {self.frame_size}."
            )
        if self.motion and not self.centred:
            raise InputError(
                "motion moves the image that distributions are centred on: it needs centred=true."
            )

    @property
    def composes(self) -> bool:
        """Whether the centre is a picture with weights of its own, taught by its own error."""
        return self.motion or self.encoder == "layered"

    @property
    def vector_dim(self) -> int:
        """How many numbers enter the encoder with every frame.

        They are the state, the action and, where the model sees it, their difference."""
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
