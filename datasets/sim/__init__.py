"""The simulated bin: endless, deterministic pushing video with the structure of the recorded set.

``open_sim(laboratory, split)`` (opening.py) gives a split. An episode is a pure function of
(laboratory, split, number, size). splits.py says which objects it has, stations.py which robot;
scene.py builds the model from arm.py with arm_body.py and from objects.py with seen_kinds.py,
novel_kinds.py and primitives.py; policy.py, physics.py push; renderer.py (with rays, tracing,
normals, culling, lighting, textures, materials) makes the frames; generate.py puts it together;
prepare.py and workers.py write the store; episodes.py and noise.py read it; manifest.py pins the
bytes. docs/simulated_bin.md describes the data."""
