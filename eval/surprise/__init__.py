"""Frames that a model did not expect, at a stated false-alarm rate."""
