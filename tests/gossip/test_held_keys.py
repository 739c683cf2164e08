"""Tests of `e2d.gossip.held_keys`."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.held_keys import (
    HeldKeys,
    KeyRefused,
    NotKeys,
    fresh_keys,
    kept_keys,
)
from e2d.model import name_key

A, B, C = (bytes([number]) * 16 for number in (1, 2, 3))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GRACE = timedelta(days=7)
LATER = NOON + GRACE


def kept(held: HeldKeys, configured: tuple[bytes, ...], at: datetime) -> HeldKeys:
    """What is there after a restart."""
    document = json.loads(json.dumps(held.to_document()))
    return kept_keys(document, configured, now_at=at, grace=GRACE)


class HeldKeysTests(SynchronousTestCase):
    """`HeldKeys`."""

    def setUp(self) -> None:
        """Given a node with one configured key."""
        self.held = fresh_keys((A,))
        self.changed = self.held.add(B, name_key(A)).use(name_key(B), LATER)

    def test_add(self) -> None:
        """A key more is accepted, and nothing else is sealed with."""
        self.assertEqual(self.held.add(B, name_key(A)).keys, (A, B))

    def test_add_again(self) -> None:
        """Said again it changes nothing."""
        added = self.held.add(B, name_key(A))
        self.assertEqual(added.add(B, name_key(A)), added)

    def test_one_change_at_a_time(self) -> None:
        """While one is under way, another is refused, and said by its key."""
        added = self.held.add(B, name_key(A))
        error = self.assertRaises(KeyRefused, added.add, C, name_key(A))
        self.assertIn(name_key(B), error.reason)

    def test_use(self) -> None:
        """The key of before is accepted until its grace is over."""
        self.assertEqual(self.changed.keys, (B, A))
        self.assertEqual(self.changed.retiring, {name_key(A): LATER})
        self.assertEqual(self.changed.use(name_key(B), NOON), self.changed)

    def test_use_what_is_not_there(self) -> None:
        """A key that was never added cannot be used."""
        self.assertRaises(KeyRefused, self.held.use, name_key(B), LATER)

    def test_back_again(self) -> None:
        """A key that retires and is used again no longer retires."""
        back = self.changed.use(name_key(A), LATER)
        self.assertEqual(back.retiring, {name_key(B): LATER})

    def test_remove(self) -> None:
        """A key that is not in use goes at once, and the change with it."""
        removed = self.changed.remove(name_key(A))
        self.assertEqual((removed.keys, removed.change), ((B,), None))
        self.assertEqual(removed.retiring, {})

    def test_remove_what_is_in_use(self) -> None:
        """Nobody can be locked out of its own ring."""
        self.assertRaises(KeyRefused, self.changed.remove, name_key(B))

    def test_expire(self) -> None:
        """What retired is dropped at its time, and not before."""
        before = self.changed.expire(LATER - timedelta(seconds=1))
        self.assertEqual(before, self.changed)
        self.assertEqual(self.changed.expire(LATER).keys, (B,))

    def test_too_many(self) -> None:
        """A packet is tried with each, so there are not many."""
        held = fresh_keys(tuple(bytes([each]) * 16 for each in range(16)))
        self.assertRaises(KeyRefused, held.add, b"x" * 16, name_key(bytes(16)))

    def test_no_key_is_told(self) -> None:
        """What others are told, and logs say, holds no key."""
        told = repr(self.changed.told)
        for key in (A, B):
            self.assertNotIn(key.hex(), told)
            self.assertNotIn(repr(key), told)


class KeptKeysTests(SynchronousTestCase):
    """`kept_keys`: what holds after a restart."""

    def setUp(self) -> None:
        """Given a node whose key was changed across the ring."""
        added = fresh_keys((A,)).add(B, name_key(A))
        self.changed = added.use(name_key(B), LATER).settle()

    def test_the_same_configuration(self) -> None:
        """What was changed holds."""
        self.assertEqual(kept(self.changed, (A,), NOON), self.changed)

    def test_while_a_change_is_under_way(self) -> None:
        """It still is."""
        added = fresh_keys((A,)).add(B, name_key(A))
        self.assertEqual(kept(added, (A,), NOON), added)

    def test_after_the_grace(self) -> None:
        """A node that was off for long drops what retired meanwhile."""
        self.assertEqual(kept(self.changed, (A,), LATER).keys, (B,))

    def test_the_new_key_is_configured(self) -> None:
        """It is used, and the other one of before is accepted for the grace."""
        self.assertEqual(kept(self.changed, (B,), NOON).keys, (B, A))

    def test_another_configuration(self) -> None:
        """Somebody's newer word wins, and the ring's keys are still accepted."""
        held = kept(self.changed, (C,), NOON)
        self.assertEqual(held.keys, (C, B, A))
        self.assertEqual(held.expire(LATER).keys, (C,))

    def test_not_keys(self) -> None:
        """Whatever else is in the file is not believed in part."""
        good = self.changed.to_document()
        for wrong in (
            None,
            [],
            {},
            {**good, "version": 2},
            {**good, "keys": []},
            {**good, "keys": ["00"]},
            {**good, "keys": [A.hex(), A.hex()]},
            {**good, "keys": "ab"},
            {**good, "retiring": {"x": "never"}},
            {**good, "change": 7},
        ):
            with self.assertRaises(NotKeys):
                kept_keys(wrong, (A,), now_at=NOON, grace=GRACE)

    @given(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["version", "keys", "configured", "retiring", "change", "new"]
                    ),
                    inner,
                    max_size=6,
                )
            ),
            max_leaves=8,
        )
    )
    def test_anything(self, document: object) -> None:
        """Nothing but `NotKeys` comes of it."""
        with contextlib.suppress(NotKeys):
            kept_keys(document, (A,), now_at=NOON, grace=GRACE)
