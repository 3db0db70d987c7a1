"""Sizes of the smallest video models that tests train."""

SMALLEST = {
    "channels": 8,
    "encoder_blocks": 1,
    "coarse_scales": 0,
    "lstm_channels": 4,
    "decoder_blocks": 1,
    "components": 2,
}
