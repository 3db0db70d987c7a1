"""Evaluation: likelihood tables, sampled futures, frame quality, speed of the samplers."""
