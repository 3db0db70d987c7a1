"""Evaluation: likelihood beside reference and floor, sampled futures as film, frame quality, tables
and figures."""
