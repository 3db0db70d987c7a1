"""Optimiser, schedule, saves, seeding and the loop; presets and the ``train`` command. Importing
this is light."""
