"""Every example in a docstring runs, and every public class and function of the core has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
# Folders whose public names must each have an example; examples elsewhere run where they stand.
CORE = ("image", "vpn", "datasets", "training")
# The same of these, but for the rule on first lines.
OTHERS = ("eval", "pixelpush")


def modules() -> list[str]:
    """Names of the modules whose examples run."""
    files = [file for folder in CORE for file in (ROOT / folder).rglob("*.py")]
    names = [
        ".".join(("pixelpush", *file.relative_to(ROOT).with_suffix("").parts)) for file in files
    ]
    names += shared_modules()
    return sorted(name.removesuffix(".__init__") for name in names)


def core_modules() -> list[str]:
    """Names of the modules of the core."""
    return [name for name in modules() if name.split(".")[1:2] in [[folder] for folder in CORE]]


def shared_modules() -> list[str]:
    """Names of the modules outside of the core whose public names each have an example."""
    files = [file for folder in OTHERS for file in (ROOT / folder).rglob("*.py")]
    files = [file for file in files if file.name != "__main__.py"]  # importing it runs it
    parts = [file.relative_to(ROOT).with_suffix("").parts for file in files]
    names = [".".join(part if part[0] == "pixelpush" else ("pixelpush", *part)) for part in parts]
    return [name.removesuffix(".__init__") for name in sorted(names)]


def without_example(module: ModuleType) -> list[str]:
    """The public classes and functions of a module whose docstring has no example."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
        and ">>>" not in (inspect.getdoc(value) or "")
    ]


def long_first_lines(module: ModuleType) -> list[str]:
    """Documented names of a module whose first line is not a sentence on one line."""
    found = []
    for test in doctest.DocTestFinder(exclude_empty=False, recurse=True).find(module):
        lines = inspect.cleandoc(test.docstring or ".").splitlines()
        whole = lines[0].endswith((".", ":")) and not any(lines[1:2])
        private = test.name.rpartition(".")[2].startswith("_")
        if not whole and not private and test.name != module.__name__:
            found.append(test.name)
    return found


@pytest.mark.parametrize("name", modules())
def test_examples_run(name: str):
    module = importlib.import_module(name)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    finally:
        torch.set_num_threads(threads)
    assert result.failed == 0


@pytest.mark.parametrize("name", core_modules())
def test_every_public_name_has_an_example(name: str):
    module = importlib.import_module(name)
    assert without_example(module) == []
    assert long_first_lines(module) == []


@pytest.mark.parametrize("name", shared_modules())
def test_every_shared_name_has_an_example(name: str):
    assert without_example(importlib.import_module(name)) == []
