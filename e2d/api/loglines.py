"""One log event as one line: text for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from typing import TextIO

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)

__all__ = ["json_line", "line_observer", "text_line"]

LINE_LIMIT = 16_384
"""Characters: an event may carry what etcd or a peer said, and that has no end."""


def text_line(event: LogEvent) -> str:
    """``time [level] namespace: message``, a traceback below it if there is one."""
    return (
        f"{_time(event)} [{_level(event)}] {_namespace(event)}:"
        f" {_message(event)}{_traceback(event)}\n"
    )


def json_line(event: LogEvent) -> str:
    """
    ``time``, ``level``, ``namespace``, ``message`` and the event's fields, an object.

    Fields are those of the format and those beside it, as far as they are plain values.
    """
    fields = {
        key: _plain(value)
        for key, value in event.items()
        if not key.startswith("log_")
        and key not in _OWN
        and isinstance(value, str | int | float | bool | None)
    }
    line: dict[str, object] = {
        "time": _time(event),
        "level": _level(event),
        "namespace": _namespace(event),
        "message": _message(event),
        **fields,
    }
    traceback = _traceback(event)
    if traceback:
        line["traceback"] = traceback.strip()
    return json.dumps(line, ensure_ascii=False, allow_nan=False, default=str) + "\n"


_OWN = frozenset(
    ("time", "level", "namespace", "message", "traceback", "isError", "system")
)


def _time(event: LogEvent) -> str:
    moment = datetime.fromtimestamp(event.get("log_time", 0.0), tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _level(event: LogEvent) -> str:
    level = event.get("log_level")
    return "info" if level is None else str(level.name)


def _namespace(event: LogEvent) -> str:
    return str(event.get("log_namespace", "-"))


def _message(event: LogEvent) -> str:
    # One event is one line, and moves no cursor, whatever is quoted in it.
    return _printable(_bounded(formatEvent(event)))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def _plain(value: str | float | None) -> str | float | None:
    """Bounded, and something that JSON has a word for."""
    if isinstance(value, str):
        return _bounded(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value


def _bounded(text: str) -> str:
    return text if len(text) <= LINE_LIMIT else text[:LINE_LIMIT] + "…"


def _traceback(event: LogEvent) -> str:
    failure = event.get("log_failure")
    if failure is None:
        return ""
    return "\n" + str(failure.getTraceback())[:LINE_LIMIT].rstrip()


def line_observer(
    stream: TextIO, line: Callable[[LogEvent], str], *, verbose: bool
) -> ILogObserver:
    """
    Writes lines to a stream.

    :param line: `text_line` or `json_line`.
    :param verbose: also what developers want to know.
    """
    levels = LogLevelFilterPredicate(LogLevel.debug if verbose else LogLevel.info)
    if not verbose:
        # "Starting factory": of use to who debugs Twisted.
        for namespace in ("twisted", "log_legacy"):
            levels.setLogLevelForNamespace(namespace, LogLevel.warn)
    return FilteringLogObserver(FileLogObserver(stream, line), [levels])
