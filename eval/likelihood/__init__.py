"""Exact likelihood of whole splits: videos beside a reference row and the noise floor, images."""
