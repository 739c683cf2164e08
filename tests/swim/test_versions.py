"""Whether peers understand each other."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.members import Record
from e2d.swim.messages import PeerState, Rank, Versions
from e2d.swim.versions import disagreement
from tests.swim.rings import state


def _versions(
    protocol: tuple[int, int, int], delegate: tuple[int, int, int] = (0, 0, 0)
) -> Versions:
    """The least, the most, and the one that is spoken."""
    return Versions(
        protocol_min=protocol[0],
        protocol_max=protocol[1],
        protocol=protocol[2],
        delegate_min=delegate[0],
        delegate_max=delegate[1],
        delegate=delegate[2],
    )


def _remote(versions: Versions | None, rank: Rank = Rank.ALIVE) -> PeerState:
    return state(b"b", versions=versions, rank=rank)


def _local(versions: Versions, rank: Rank = Rank.ALIVE) -> Record:
    return Record(
        state=state(b"a", versions=versions, rank=rank), versions=versions, since=0.0
    )


def _agree(
    ours: tuple[int, int, int], theirs: tuple[int, int, int]
) -> tuple[bool, bool]:
    """Whether it fits, as versions of the protocol and as the delegate's."""
    protocol = disagreement([_remote(_versions(theirs))], [_local(_versions(ours))])
    delegate = disagreement(
        [_remote(_versions((1, 5, 2), theirs))], [_local(_versions((1, 5, 2), ours))]
    )
    return protocol is None, delegate is None


class DisagreementTests(SynchronousTestCase):
    """What anybody speaks, everybody must understand."""

    def test_both_speak_what_both_understand(self) -> None:
        """Ranges may differ, as long as what is spoken is in both."""
        self.assertEqual(_agree((1, 5, 2), (1, 5, 2)), (True, True))
        self.assertEqual(_agree((1, 3, 2), (2, 4, 3)), (True, True))

    def test_theirs_is_above_ours(self) -> None:
        """They speak what we do not understand."""
        self.assertEqual(_agree((1, 3, 2), (2, 4, 4)), (False, False))

    def test_theirs_is_below_ours(self) -> None:
        """They speak what we do not understand any more."""
        self.assertEqual(_agree((2, 4, 3), (1, 3, 1)), (False, False))

    def test_ours_is_above_theirs(self) -> None:
        """We speak what they do not understand."""
        self.assertEqual(_agree((1, 4, 4), (1, 3, 2)), (False, False))

    def test_ours_is_below_theirs(self) -> None:
        """We speak what they do not understand any more."""
        self.assertEqual(_agree((1, 4, 1), (2, 4, 3)), (False, False))

    def test_nothing_in_common(self) -> None:
        """No version is understood by both."""
        self.assertEqual(_agree((1, 2, 2), (3, 4, 3)), (False, False))

    def test_the_dead_must_fit_too(self) -> None:
        """What the dead understand does not count, but what they spoke does."""
        narrow = _versions((2, 2, 2))
        other = _versions((4, 4, 4))
        ours = [_local(_versions((1, 5, 2)))]
        self.assertIsNone(disagreement([_remote(narrow, Rank.DEAD)], ours))
        self.assertEqual(
            disagreement([_remote(narrow), _remote(other, Rank.DEAD)], ours),
            "b speaks version 4 of the protocol",
        )

    def test_without_versions(self) -> None:
        """A peer without versions fits nowhere, even dead."""
        self.assertEqual(
            disagreement([_remote(None, Rank.DEAD)], [_local(_versions((1, 5, 2)))]),
            "b speaks version 0 of the protocol",
        )
