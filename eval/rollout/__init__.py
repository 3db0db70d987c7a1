"""Sampled futures: drawing them, writing them as video, strip and arrays, and their quality."""
