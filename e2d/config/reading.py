"""Which text is read: the rules about files, without touching one."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from e2d.config.document import MAXIMUM_BYTES
from e2d.config.loading import Loaded, default, load
from e2d.config.problems import ConfigurationError, Place, Problem
from e2d.config.values import HostFacts

__all__ = ["DEFAULT_FILE", "STANDARD_INPUT", "read_configuration"]

DEFAULT_FILE = "config.yaml"
"""Looked for in the working directory when no file is named."""

STANDARD_INPUT = "-"


def read_configuration(
    path: str | None,
    *,
    opener: Callable[[str], BinaryIO],
    standard_input: BinaryIO,
    host: HostFacts,
) -> Loaded:
    """
    Read what a command line names.

    :param path: a file, ``-`` for standard input, None for ``config.yaml`` if there
        is one, else no file at all: a single node on loopback.
    :param opener: opens a file for reading bytes, as the built-in ``open`` does.
    :param standard_input: read only for ``-``.
    :raises ConfigurationError: also for a file that was named and is not there.
    """
    if path == STANDARD_INPUT:
        return _read(standard_input, "<stdin>", host)
    name = DEFAULT_FILE if path is None else path
    try:
        with opener(name) as stream:
            return _read(stream, name, host)
    except FileNotFoundError:
        if path is None:
            return default(host)
        raise _unusable(name, "there is no such file") from None
    except IsADirectoryError:
        raise _unusable(name, "this is a directory", "name the file in it") from None
    except PermissionError:
        raise _unusable(name, "no permission to read it") from None
    except OSError as error:
        raise _unusable(name, f"it can't be read: {error.strerror}") from None


def _read(stream: BinaryIO, source: str, host: HostFacts) -> Loaded:
    content = stream.read(MAXIMUM_BYTES + 1)
    if len(content) > MAXIMUM_BYTES:
        limit = f"larger than {MAXIMUM_BYTES >> 20} MiB, so no configuration"
        raise _unusable(source, limit)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        place = Place(before.count(b"\n") + 1, column)
        byte = content[error.start]
        raise _unusable(
            source, f"not UTF-8: the byte 0x{byte:02x}", "save it as UTF-8", place
        ) from None
    return load(text, source=source, host=host)


def _unusable(
    source: str, message: str, suggestion: str = "", place: Place | None = None
) -> ConfigurationError:
    problem = Problem(
        source=source, place=place, key="", message=message, suggestion=suggestion
    )
    return ConfigurationError([problem])
