"""How etcd's API fails."""

from __future__ import annotations

__all__ = ["EtcdDenied", "EtcdError", "EtcdRefused", "EtcdUnavailable"]


class EtcdError(Exception):
    """etcd did not do what it was asked to."""


class EtcdUnavailable(EtcdError):
    """
    No answer: not reachable, no quorum, or not within the deadline.

    Whether a change was made is *not known*: read again before you repeat it.

    :param endpoint: ``host:port`` that was asked.
    :param reason: one line.
    """

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"etcd at {endpoint} did not answer: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class EtcdRefused(EtcdError):
    """
    etcd answered, and the answer is no.

    :param code: gRPC's name of the status: ``FAILED_PRECONDITION``.
    :param message: etcd's own words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"etcd refused ({code}): {message}")
        self.code = code
        self.message = message


class EtcdDenied(EtcdRefused):
    """We may not: nobody was logged in, or the user lacks the right (B15)."""
