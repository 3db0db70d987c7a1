"""``python -m pixelpush``."""

from pixelpush.cli import main

main()
