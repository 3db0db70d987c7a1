"""Lossless coding of episodes and images with a model, through a range coder: the likelihood in
bytes."""
