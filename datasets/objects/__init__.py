"""The image set ``sim-objects``: one to four of the simulator's objects, close up.

``open_objects(name, split)`` gives a split. An image is a pure function of (split, number, size).
scenes.py says what lies where, things.py builds an object of a kind and a colour, renderer.py draws
and labels, captions.py writes captions, generate.py puts it together; prepare.py writes the store,
images.py reads it. docs/images.md describes the set."""

from pixelpush.datasets.objects.images import ObjectImages, open_objects

__all__ = ["ObjectImages", "open_objects"]
