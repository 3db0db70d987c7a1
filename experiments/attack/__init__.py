"""Hostile inputs and kills by the thousand: python -m experiments.attack."""
