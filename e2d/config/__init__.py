"""
Configuration text to a checked ``Configuration``. Pure.

`load` reads a text, `read_configuration` applies the rules about files, `default` is
the configuration without one, and `show` writes the newest form.
"""

from e2d.config.loading import Loaded, default, load
from e2d.config.problems import ConfigurationError, Problem
from e2d.config.reading import read_configuration
from e2d.config.values import Configuration, HostFacts
from e2d.config.writing import show

__all__ = [
    "Configuration",
    "ConfigurationError",
    "HostFacts",
    "Loaded",
    "Problem",
    "default",
    "load",
    "read_configuration",
    "show",
]
