"""
Coverage-guided fuzzing of all that decodes, with atheris.

``python -m tests.swim.fuzz packets|streams [LIBFUZZER'S ARGUMENTS] [CORPUS...]``

New inputs go to the first corpus. ``make fuzz`` bounds number, time and memory.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["e2d.swim"]):
    from tests.swim.targets import TARGETS


def main() -> None:
    """Fuzz until something is found, or as long as the arguments say."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
