"""Image sets: MNIST, CIFAR-10, ImageNet, CUB, MPII, COCO, folders. ``open_images(name, split,
root)``."""

from pixelpush.datasets.image_sets.base import ImageArrays, ImageExample, ImageSet
from pixelpush.datasets.image_sets.registry import IMAGE_SETS, open_images

__all__ = ["IMAGE_SETS", "ImageArrays", "ImageExample", "ImageSet", "open_images"]
