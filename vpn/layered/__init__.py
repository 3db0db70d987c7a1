"""The layered frame encoder: the arm drawn from its state, over a memory of what is still, over the
last frame moved by flow."""

from pixelpush.vpn.layered.composition import Layers
from pixelpush.vpn.layered.encoder import LayeredEncoder

__all__ = ["LayeredEncoder", "Layers"]
