"""The kinds of image models. A new kind is a file with its record and a line in the list below."""

from __future__ import annotations

from pixelpush.image import (
    conv_draw,
    gated_pixelcnn,
    multiscale_pixelcnn,
    multiscale_pixelrnn,
    pixelcnn,
    pixelcnn_pp,
    pixelrnn,
    real_nvp,
)
from pixelpush.image.kinds import KINDS

for _kind in (
    pixelcnn.KIND,
    gated_pixelcnn.KIND,
    pixelcnn_pp.KIND,
    pixelrnn.ROW_LSTM,
    pixelrnn.DIAGONAL_BILSTM,
    multiscale_pixelrnn.KIND,
    multiscale_pixelcnn.KIND,
    real_nvp.KIND,
    conv_draw.KIND,
):
    KINDS.add(_kind.name, _kind)

__all__ = ["KINDS"]
