"""
What etcd's answers to a failed call mean.

Note [Known and not known]
--------------------------
`EtcdRefused` says that etcd said no, so nothing was changed; `EtcdUnavailable` that
the outcome is not known. gRPC's status codes do not draw that line. ``UNAVAILABLE``
holds both a broken connection and two definite refusals: a member change while the
cluster is unhealthy, and a call that learners do not answer. ``UNKNOWN`` and
``INTERNAL`` hold both errors that etcd forgot to classify, recognised by the package
that prefixes their text, and whatever happened to a stream on its way. In doubt the
outcome is not known: to read once more is cheap, to believe a false "no" is not.
"""

from __future__ import annotations

from e2d.interfaces import EtcdDenied, EtcdError, EtcdRefused, EtcdUnavailable

__all__ = ["StreamBroke", "error_of", "is_from_etcd", "split_status", "wants_login"]

_UNKNOWN_OUTCOME = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED"}
)
_UNCLASSIFIED = frozenset({"UNKNOWN", "INTERNAL"})
_PLAIN_NO = (
    "etcdserver: unhealthy cluster",
    "etcdserver: rpc not supported for learner",
)
_OVERLOADED = "etcdserver: too many requests"
_ETCD_WORDS = ("etcdserver: ", "auth: ", "mvcc: ", "lease ", "membership: ")
_TIMED_OUT = "request timed out"
_LOGIN = (
    "invalid auth token",
    "user name is empty",
    "revision of auth store is old",
    "revision in header is old",
)
_DENIED = (
    "permission denied",
    "user name is empty",
    "invalid auth token",
    "authentication failed",
)
_MAX_TEXT = 500


class StreamBroke(Exception):
    """
    A stream ended with an error.

    :param code: gRPC's name of the status.
    :param details: the text that came with it.
    """

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details


def error_of(endpoint: str, code: str, details: str) -> EtcdError:
    """
    The error for a gRPC status.

    :param endpoint: ``host:port`` that was asked.
    :param code: gRPC's name of the status.
    :param details: the text that came with it.
    """
    message = " ".join(details.split())[:_MAX_TEXT]
    if message.startswith(_PLAIN_NO):
        return EtcdRefused(code, message)
    if code in _UNKNOWN_OUTCOME or message.startswith(_OVERLOADED):
        return EtcdUnavailable(endpoint, message or code.lower())
    if code in _UNCLASSIFIED and not _classified(message):
        return EtcdUnavailable(endpoint, message or code.lower())
    if any(words in message for words in _DENIED):
        return EtcdDenied(code, message)
    return EtcdRefused(code, message)


def is_from_etcd(details: str) -> bool:
    """Whether etcd itself wrote this text, so that the connection to it stands."""
    return details.startswith(_ETCD_WORDS)


def wants_login(details: str) -> bool:
    """Whether a call failed for want of a valid token, and not for want of rights."""
    return any(words in details for words in _LOGIN)


def split_status(reason: str) -> tuple[str, str]:
    """
    Code and message of an error that Go wrote as text, as a watch's cancel reason is.

    ``rpc error: code = PermissionDenied desc = etcdserver: permission denied``
    """
    head, separator, message = reason.partition(" desc = ")
    _, known, camel = head.partition("code = ")
    if not separator or not known:
        return ("CANCELLED", reason)
    return ("".join(_spaced(camel)).upper(), message)


def _spaced(camel: str) -> list[str]:
    return [
        f"_{letter}" if letter.isupper() and place else letter
        for place, letter in enumerate(camel)
    ]


def _classified(message: str) -> bool:
    return is_from_etcd(message) and _TIMED_OUT not in message
