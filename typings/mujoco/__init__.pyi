# MuJoCo's Python package is a compiled extension without stubs; its names are taken on trust.
from typing import Any

def __getattr__(name: str) -> Any: ...
