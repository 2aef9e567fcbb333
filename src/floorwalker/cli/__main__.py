"""``python -m floorwalker.cli``."""

from floorwalker.cli import main

main()
