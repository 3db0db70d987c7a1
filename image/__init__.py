"""One frame: pixel distributions, PixelCNN and PixelRNN families, 2x2 groups, upscalers, image conditioning."""
