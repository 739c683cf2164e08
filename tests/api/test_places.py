"""Tests of `e2d.api.places`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.api.places import SocketPathTooLong, SocketPlace, default_places, socket_place

LONG = "/srv/" + "x" * 100
PRIVATE = "/tmp/e2d-1000-a47f0850df5e"  # noqa: S108 - compared, not used


def place(
    configured: str | None = None,
    runtime_directory: str | None = None,
    data_dir: str = "/var/lib/e2d",
    user_runtime: str | None = None,
) -> SocketPlace:
    """Where a daemon of the user 1000 listens."""
    return socket_place(
        configured=configured,
        runtime_directory=runtime_directory,
        data_dir=data_dir,
        uid=1000,
        user_runtime=user_runtime,
    )


class SocketPlaceTests(SynchronousTestCase):
    """`socket_place` and `default_places`."""

    def test_configured(self) -> None:
        """What was configured wins."""
        self.assertEqual(
            place(configured="/run/x.sock", runtime_directory="/run/e2d"),
            SocketPlace(path="/run/x.sock"),
        )

    def test_runtime_directory(self) -> None:
        """Systemd's runtime directory comes before the data directory."""
        self.assertEqual(
            place(runtime_directory="/run/e2d"), SocketPlace(path="/run/e2d/e2d.sock")
        )

    def test_first_runtime_directory(self) -> None:
        """Of several runtime directories the first is taken."""
        self.assertEqual(
            place(runtime_directory="/run/a:/run/b").path, "/run/a/e2d.sock"
        )

    def test_data_directory(self) -> None:
        """Without either it is beside e2d's own records."""
        self.assertEqual(
            place(),
            SocketPlace(
                path="/var/lib/e2d/e2d/e2d.sock", own_directory="/var/lib/e2d/e2d"
            ),
        )

    def test_longest(self) -> None:
        """107 bytes are a path, 108 are not."""
        longest = "/" + "x" * 106
        self.assertEqual(place(configured=longest).path, longest)
        with self.assertRaises(SocketPathTooLong) as caught:
            place(configured=longest + "x")
        self.assertIn("api.socket is 108 bytes long", str(caught.exception))

    def test_counts_bytes(self) -> None:
        """A path is measured in bytes, not in characters."""
        self.assertRaises(SocketPathTooLong, place, configured="/" + "\u00e9" * 54)

    def test_long_data_directory(self) -> None:
        """The default falls back to a short path of the user's."""
        found = place(data_dir=LONG, user_runtime="/run/user/1000")
        self.assertEqual(found.path, "/run/user/1000/e2d-a47f0850df5e.sock")

    def test_long_data_directory_without_session(self) -> None:
        """Without a directory of the user's it is a private one below /tmp."""
        found = place(data_dir=LONG)
        self.assertEqual(found.own_directory, PRIVATE)
        self.assertTrue(found.shared)
        self.assertLess(len(found.path), 107)

    def test_all_fallbacks(self) -> None:
        """A command looks wherever the daemon may have gone, in the same order."""
        places = default_places(data_dir=LONG, uid=1000, user_runtime="/run/user/1000")
        self.assertEqual(
            [found.path for found in places],
            [
                "/run/user/1000/e2d-a47f0850df5e.sock",
                f"{PRIVATE}/e2d.sock",
            ],
        )

    def test_other_data_directory(self) -> None:
        """Two daemons of one user do not share a fallback."""
        self.assertNotEqual(place(data_dir=LONG).path, place(data_dir=LONG + "y").path)
