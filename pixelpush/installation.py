"""Where the packages of this installation come from. A leaf module, light.

In a second checkout ``import pixelpush`` may come from the current folder, ``pixelpush.vpn`` from
the checkout that was installed. Nothing fails then, and the wrong code runs."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path


def mixed_checkouts(package: Path) -> str | None:
    """Say in one line that two checkouts are mixed, or return None where all is well.

    package: the folder that ``pixelpush`` was imported from.

    >>> mixed_checkouts(Path(__file__).parent) is None
    True
    """
    found = importlib.util.find_spec("pixelpush.vpn")
    if found is None or found.origin is None:
        return (
            f"pixelpush is imported from {package}, but is not installed: "
            f"pip install --editable {package.parent}"
        )
    other = Path(found.origin).resolve().parent
    # In a checkout vpn lies beside pixelpush; in an installed wheel it lies within it.
    if other in (package.resolve().parent / "vpn", package.resolve() / "vpn"):
        return None
    return (
        f"two checkouts are mixed: pixelpush comes from {package}, pixelpush.vpn from {other}; "
        f"install this one: pip install --editable {package.parent}"
    )


def warn_if_mixed(package: Path) -> None:
    """Warn once, at import, where two checkouts are mixed.

    >>> with warnings.catch_warnings(record=True) as found:
    ...     warnings.simplefilter("always")
    ...     warn_if_mixed(Path("/elsewhere/pixelpush"))
    >>> str(found[0].message)
    'two checkouts are mixed: pixelpush comes from /elsewhere/pixelpush, ...'
    """
    text = mixed_checkouts(package)
    if text is not None:
        warnings.warn(text, stacklevel=3)
