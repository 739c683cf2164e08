"""``python -m e2d`` is ``e2d``."""

from e2d.cli import main

main()
