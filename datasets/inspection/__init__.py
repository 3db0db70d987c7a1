"""The page about a data set: what is in it, and what looks wrong."""

from pixelpush.datasets.inspection.inspect import inspect_dataset, inspect_store
from pixelpush.datasets.inspection.measure import Measurement, near_constant
from pixelpush.datasets.inspection.page import entry_names
from pixelpush.datasets.inspection.sheet import contact_sheet

__all__ = [
    "Measurement",
    "contact_sheet",
    "entry_names",
    "inspect_dataset",
    "inspect_store",
    "near_constant",
]
