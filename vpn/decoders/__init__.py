"""The video decoders of Table 2. A new decoder is a file here and a line in the list below."""

from __future__ import annotations

from pixelpush.vpn.decoders import baseline, ot, otlogn, otn
from pixelpush.vpn.kinds import KINDS

for _file in (
    baseline,
    otn,
    ot,
    otlogn,
):
    KINDS.add(_file.KIND.name, _file.KIND)

__all__ = ["KINDS"]
