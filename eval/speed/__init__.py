"""Seconds a sampled frame or image takes: Reed et al. 2017, Table 4."""
