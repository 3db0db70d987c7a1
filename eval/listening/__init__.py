"""Whether a model uses its actions, in nats."""
