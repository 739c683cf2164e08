"""
What the control socket takes: bytes in, a checked request or one line of refusal out.

Whoever can write to the socket may act; what they write is checked all the same, since
it is kept on disk and shown in logs and on terminals.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from attrs import frozen

from e2d.config.ring_keys import parse_ring_key
from e2d.model import KeyName, Pause

__all__ = [
    "DEFAULT_PAUSE_SECONDS",
    "LONGEST_PAUSE_SECONDS",
    "LONGEST_REASON",
    "BadRequest",
    "parse_empty",
    "parse_key",
    "parse_key_name",
    "parse_pause",
    "parse_time",
]

DEFAULT_PAUSE_SECONDS = 3600.0
"""A pause always ends: one that is forgotten must not disarm a cluster for ever."""

LONGEST_PAUSE_SECONDS = 30 * 24 * 3600.0
"""Longer than any maintenance; whoever needs more pauses again."""

LONGEST_REASON = 500
"""Characters: it is shown in a line of the status."""

KEY_NAME = re.compile("[0-9a-f]{8}")

RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class BadRequest(Exception):
    """
    What was asked for makes no sense.

    :param message: one line, for the one who asked.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@frozen(kw_only=True)
class _PauseRequest:
    """What a body may hold, unchecked."""

    until: Any = None
    seconds: Any = None
    reason: Any = ""


def parse_pause(body: bytes, *, now_at: datetime, by: str) -> Pause:
    """
    The pause that a body asks for.

    :param body: a JSON object with ``until`` (RFC 3339) or ``seconds``, and ``reason``;
        all optional.
    :param now_at: an aware datetime.
    :raises BadRequest: nothing else, whatever the bytes.
    """
    fields = _parse_object(body, {"until", "seconds", "reason"})
    request = _PauseRequest(**fields)
    return Pause(
        until_at=_end_of_pause(request, now_at), by=by, reason=_reason(request.reason)
    )


def parse_empty(body: bytes) -> None:
    """
    Check that a body says nothing: it is empty, or an empty object.

    :raises BadRequest: it says something.
    """
    if body.strip():
        _parse_object(body, set())


def parse_key(body: bytes) -> bytes:
    """
    The gossip key that a body holds: an object with ``key``, base64 or hexadecimal.

    :raises BadRequest: it holds none; nothing of it is repeated.
    """
    key = _parse_object(body, {"key"}).get("key")
    if not isinstance(key, str):
        raise BadRequest("key must be a string, a key in base64 or hexadecimal")
    try:
        return parse_ring_key(key)
    except ValueError as error:
        raise BadRequest(f"key {error}") from None


def parse_key_name(body: bytes) -> KeyName:
    """
    The name of a gossip key that a body holds: an object with ``name``.

    :raises BadRequest: it holds none.
    """
    name = _parse_object(body, {"name"}).get("name")
    if not isinstance(name, str) or not KEY_NAME.fullmatch(name):
        raise BadRequest("name must be the 8 hex digits by which a key is known")
    return KeyName(name)


def parse_time(text: str) -> datetime:
    """
    An RFC 3339 time, aware and in UTC.

    :raises BadRequest: it is none, or has no UTC offset.
    """
    problem = f"{text[:40]!a} is not an RFC 3339 time such as 2026-01-31T18:00:00Z"
    if not RFC3339.fullmatch(text):
        raise BadRequest(problem)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(problem) from None


def _end_of_pause(request: _PauseRequest, now_at: datetime) -> datetime:
    if request.until is not None and request.seconds is not None:
        raise BadRequest("give until or seconds, not both")
    if request.until is None:
        seconds = _seconds(request.seconds)
        return now_at + timedelta(seconds=seconds)
    if not isinstance(request.until, str):
        raise BadRequest("until must be a string, an RFC 3339 time")
    until_at = parse_time(request.until)
    if until_at <= now_at:
        raise BadRequest(f"until is in the past: here it is {now_at:%FT%TZ}")
    if (until_at - now_at).total_seconds() > LONGEST_PAUSE_SECONDS:
        raise BadRequest(_too_long())
    return until_at


def _seconds(value: Any) -> float:  # noqa: ANN401 - whatever JSON holds
    if value is None:
        return DEFAULT_PAUSE_SECONDS
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest("seconds must be a number")
    if value < 1:
        raise BadRequest("seconds must be at least 1")
    if value > LONGEST_PAUSE_SECONDS:
        raise BadRequest(_too_long())
    return float(value)


def _too_long() -> str:
    days = LONGEST_PAUSE_SECONDS / 86400
    return f"a pause can be {days:.0f} days long: pause again when it ends"


def _reason(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, str):
        raise BadRequest("reason must be a string")
    if len(value) > LONGEST_REASON:
        raise BadRequest(f"reason must have at most {LONGEST_REASON} characters")
    if not value.isprintable():
        raise BadRequest("reason must be one line of printable characters")
    return value


def _parse_object(body: bytes, allowed: set[str]) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        parsed = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise BadRequest("the body must be a JSON object")
    unknown = sorted(set(parsed) - allowed)
    if unknown:
        raise BadRequest(f"unknown key {unknown[0][:40]!a}")
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
