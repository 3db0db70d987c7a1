"""The simulated bin."""
