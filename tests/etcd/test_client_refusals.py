"""What etcd's answers to failed calls are taken to mean."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.refusals import error_of, split_status, wants_login
from e2d.interfaces import EtcdDenied, EtcdRefused, EtcdUnavailable

_AT = "127.0.0.1:2379"


class ErrorTests(SynchronousTestCase):
    """A refusal says that nothing was changed; in doubt it is not known."""

    def assert_unknown(self, code: str, details: str) -> None:
        """The outcome is not known."""
        self.assertIsInstance(error_of(_AT, code, details), EtcdUnavailable)

    def assert_refused(self, code: str, details: str) -> None:
        """Etcd said no."""
        error = error_of(_AT, code, details)
        assert isinstance(error, EtcdRefused)
        self.assertEqual((error.code, error.message), (code, details))

    def test_broken_connection(self) -> None:
        """A connection that broke tells nothing."""
        self.assert_unknown("UNAVAILABLE", "recvmsg:Connection reset by peer")

    def test_deadline(self) -> None:
        """Nor does a deadline that passed, on either side."""
        self.assert_unknown("DEADLINE_EXCEEDED", "Deadline Exceeded")
        self.assert_unknown("UNAVAILABLE", "etcdserver: request timed out")
        self.assert_unknown("UNKNOWN", "etcdserver: request timed out")

    def test_lost_leader(self) -> None:
        """A write under a leader that went may yet be done."""
        self.assert_unknown("UNAVAILABLE", "etcdserver: leader changed")

    def test_overload(self) -> None:
        """Too many requests is no answer to this one."""
        self.assert_unknown("RESOURCE_EXHAUSTED", "etcdserver: too many requests")

    def test_broken_stream(self) -> None:
        """An error that is not etcd's own tells nothing."""
        self.assert_unknown("UNKNOWN", "Stream removed")
        self.assert_unknown("INTERNAL", "Received RST_STREAM with error code 2")

    def test_unhealthy_cluster(self) -> None:
        """A member change is refused before it is proposed, whatever the code."""
        self.assert_refused("UNAVAILABLE", "etcdserver: unhealthy cluster")

    def test_learner(self) -> None:
        """A learner's no is a no."""
        self.assert_refused("UNAVAILABLE", "etcdserver: rpc not supported for learner")

    def test_denied(self) -> None:
        """Missing rights are a refusal of their own (B15), whatever the code."""
        self.assert_denied("PERMISSION_DENIED", "etcdserver: permission denied")
        self.assert_denied("UNAUTHENTICATED", "etcdserver: invalid auth token")
        self.assert_denied("INVALID_ARGUMENT", "etcdserver: user name is empty")
        self.assert_denied("UNKNOWN", "auth: permission denied")
        self.assert_denied(
            "INVALID_ARGUMENT",
            "etcdserver: authentication failed, invalid user ID or password",
        )

    def assert_denied(self, code: str, details: str) -> None:
        """Etcd said that we may not."""
        self.assert_refused(code, details)
        self.assertIsInstance(error_of(_AT, code, details), EtcdDenied)

    def test_not_denied(self) -> None:
        """Any other no is not for want of rights."""
        for details in (
            "etcdserver: authentication is not enabled",
            "etcdserver: unhealthy cluster",
            "etcdserver: member not found",
        ):
            error = error_of(_AT, "FAILED_PRECONDITION", details)
            self.assertIs(type(error), EtcdRefused)

    def test_unclassified(self) -> None:
        """What etcd forgot to classify is known by its words."""
        self.assert_refused("UNKNOWN", "auth: user name is empty")

    def test_long_text_is_cut(self) -> None:
        """A hostile member cannot fill the log, nor break its lines."""
        error = error_of(_AT, "NOT_FOUND", "a\nb" * 10_000)
        assert isinstance(error, EtcdRefused)
        self.assertEqual(len(error.message), 500)
        self.assertNotIn("\n", error.message)

    @given(st.text(), st.text())
    def test_any_text(self, code: str, details: str) -> None:
        """Whatever the status, it is one of the two errors."""
        error = error_of(_AT, code, details)
        self.assertIsInstance(error, EtcdRefused | EtcdUnavailable)


class SplitStatusTests(SynchronousTestCase):
    """Watches are cancelled with an error that Go wrote as text."""

    def test_status(self) -> None:
        """Go's name of the status becomes gRPC's."""
        reason = "rpc error: code = PermissionDenied desc = etcdserver: no"
        self.assertEqual(split_status(reason), ("PERMISSION_DENIED", "etcdserver: no"))

    def test_other_text(self) -> None:
        """Any other text is the message itself."""
        self.assertEqual(split_status("because"), ("CANCELLED", "because"))

    @given(st.text())
    def test_any_text(self, reason: str) -> None:
        """No text breaks it."""
        code, message = split_status(reason)
        self.assertIsInstance(code + message, str)


class WantsLoginTests(SynchronousTestCase):
    """A call is asked again only for want of a token."""

    def test_expired_token(self) -> None:
        """A token that expired is worth a login."""
        self.assertTrue(wants_login("etcdserver: invalid auth token"))

    def test_no_right(self) -> None:
        """A right that is missing is not."""
        self.assertFalse(wants_login("etcdserver: permission denied"))
