"""An answer of the API as a value, before anything of HTTP is added to it."""

from __future__ import annotations

import json
from http import HTTPStatus

from attrs import frozen

from e2d.api.documents import Document

__all__ = ["Answer", "json_answer", "refusal", "text_answer"]

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@frozen
class Answer:
    """
    What is sent back.

    :param code: HTTP's status.
    :param content_type: of ``body``, with its charset.
    """

    code: int
    content_type: str
    body: bytes


def json_answer(document: Document, code: int = HTTPStatus.OK) -> Answer:
    """One line of JSON in ASCII, strict: no ``NaN``."""
    text = json.dumps(document, allow_nan=False)
    return Answer(code, JSON, text.encode("ascii") + b"\n")


def text_answer(text: str) -> Answer:
    """Plain text for people."""
    return Answer(HTTPStatus.OK, TEXT, text.encode("utf-8"))


def refusal(code: int, message: str) -> Answer:
    """
    No, and why.

    :param message: one line.
    """
    return json_answer({"error": message}, code)
