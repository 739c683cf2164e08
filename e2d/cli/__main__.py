"""``python -m e2d.cli`` is ``e2d``."""

from e2d.cli import main

main()
