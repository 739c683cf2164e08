"""The source tree, for tests that look at the project's own files."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Where setup.cfg is."""


def setup_cfg() -> ConfigParser:
    """What setup.cfg says."""
    config = ConfigParser()
    config.read_string((ROOT / "setup.cfg").read_text(encoding="utf-8"))
    return config


def lines(config: ConfigParser, section: str, key: str) -> list[str]:
    """The lines of a value that is a list."""
    return [line for line in config[section][key].splitlines() if line.strip()]
