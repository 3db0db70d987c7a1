"""Pictures of image models: grids, scale-by-scale strips, super-resolution, completions."""
