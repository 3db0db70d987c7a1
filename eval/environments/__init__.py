"""A model, and the simulated bin, as environments to act in; and the interfaces that planners have.

``pushing.PushingEnv`` is a gymnasium environment over a video model,
``simulated.SimulatedPushingEnv`` the simulated bin with the same spaces,
``vector.VectorPushingEnv`` many futures of a model in one batch. ``adapters`` gives a model the
interfaces of VP2 and of stable-worldmodel. gymnasium comes with the extra 'env'."""
