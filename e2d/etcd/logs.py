"""
One line of etcd's log, understood. Pure.

etcd writes JSON (zap, which e2d asks for in every line of etcd), text where that is not
set up yet or no longer works (a flag it does not know, a panic of Go), and in 3.4 the
older text form where something overrides the logger.
"""

from __future__ import annotations

import json
import re
from enum import Enum

from attrs import frozen

__all__ = ["LINE_LIMIT_BYTES", "LogLevel", "LogLine", "parse_line"]

LINE_LIMIT_BYTES = 16 * 1024
"""Of a longer line only the head is kept: etcd can print a whole request."""

_FIELDS_LIMIT = 32
_VALUE_LIMIT = 1024
_MESSAGE_LIMIT = 4096


class LogLevel(Enum):
    """How much a line matters; zap's dpanic, panic and fatal are all FATAL."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"


@frozen(kw_only=True)
class LogLine:
    """
    One line.

    :param level: None for text of no known form: usage, the trace of a panic.
    :param fields: what the line says besides, in its order; values as text.
    """

    level: LogLevel | None
    message: str
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def severe(self) -> bool:
        """Whether it tells of something that failed."""
        return self.level in {LogLevel.ERROR, LogLevel.FATAL}

    def field(self, name: str) -> str | None:
        """The value of a field, None if the line has none of that name."""
        return dict(self.fields).get(name)

    @property
    def text(self) -> str:
        """The line for people: the message, then its fields."""
        return " ".join(
            [self.message, *(f"{name}={value}" for name, value in self.fields)]
        )


_LEVELS = {
    "debug": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "warn": LogLevel.WARN,
    "error": LogLevel.ERROR,
    "dpanic": LogLevel.FATAL,
    "panic": LogLevel.FATAL,
    "fatal": LogLevel.FATAL,
}

_CAPNSLOG_LEVELS = {
    "C": LogLevel.FATAL,
    "E": LogLevel.ERROR,
    "W": LogLevel.WARN,
    "N": LogLevel.INFO,
    "I": LogLevel.INFO,
    "D": LogLevel.DEBUG,
    "T": LogLevel.DEBUG,
}

# 2026-11-23 22:50:13.123456 I | etcdmain: etcd Version: 3.4.23
_CAPNSLOG = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? ([CEWNIDT]) \| (?:([\w/.-]+): )?(.*)",
    re.DOTALL,
)

# 2026/11/23 23:01:48 WARNING: [core] grpc: addrConn.createTransport failed to ...
# or, in 3.4, with the level first.
_GRPC = re.compile(
    r"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(INFO|WARNING|ERROR): "
    r"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(.*)",
    re.DOTALL,
)
_GRPC_LEVELS = {
    "INFO": LogLevel.INFO,
    "WARNING": LogLevel.WARN,
    "ERROR": LogLevel.ERROR,
}

_GO_DIES = ("panic: ", "fatal error: ", "unexpected fault address")

# Said of every line, or of the program rather than of what happened.
_OMITTED = frozenset({"level", "ts", "msg", "caller", "stacktrace", "errorVerbose"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def _one_line(text: str, limit: int) -> str:
    clean = _CONTROL.sub(" ", text).strip()
    return clean if len(clean) <= limit else clean[: limit - 3] + "..."


def parse_line(line: bytes) -> LogLine:
    """
    Understand one line; text that has no known form is its own message.

    :param line: without its end; whatever is in it.
    """
    text = line[:LINE_LIMIT_BYTES].decode("utf-8", "replace").rstrip("\r\n")
    parsed = _parse_json(text) if text.startswith("{") else None
    if parsed is not None:
        return parsed
    capnslog = _CAPNSLOG.fullmatch(text)
    if capnslog is not None:
        letter, package, message = capnslog.groups()
        fields = (("package", package),) if package else ()
        return LogLine(
            level=_CAPNSLOG_LEVELS[letter],
            message=_one_line(message, _MESSAGE_LIMIT),
            fields=fields,
        )
    grpc = _GRPC.fullmatch(text)
    if grpc is not None:
        level, message = grpc.groups()
        return LogLine(
            level=_GRPC_LEVELS[level], message=_one_line(message, _MESSAGE_LIMIT)
        )
    dies = text.startswith(_GO_DIES)
    return LogLine(
        level=LogLevel.FATAL if dies else None, message=_one_line(text, _MESSAGE_LIMIT)
    )


def _parse_json(text: str) -> LogLine | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    level, message = value.get("level"), value.get("msg")
    if not isinstance(level, str) or not isinstance(message, str):
        return None
    named = [(name, each) for name, each in value.items() if name not in _OMITTED]
    return LogLine(
        level=_LEVELS.get(level.lower()),
        message=_one_line(message, _MESSAGE_LIMIT),
        fields=tuple(
            (_one_line(name, 64), _one_line(_as_text(each), _VALUE_LIMIT))
            for name, each in named[:_FIELDS_LIMIT]
        ),
    )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
