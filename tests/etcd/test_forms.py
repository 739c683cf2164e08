"""Tests of `e2d.etcd.forms`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.forms import founding_from_record, founding_to_record, pause_from_record
from e2d.interfaces import DataDirectoryError
from e2d.model import Founding, NodeName

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


class FoundingTests(SynchronousTestCase):
    """The record of a founding."""

    record = founding_to_record(
        Founding(
            founding_id="f1",
            cluster_name="blue",
            peers=((NodeName("n1"), "http://127.0.0.1:2380"),),
            started=True,
        )
    )

    def test_as_kept(self) -> None:
        """Its form on disk is a promise to the next version."""
        self.assertEqual(
            self.record,
            {
                "founding": "f1",
                "cluster": "blue",
                "peers": [["n1", "http://127.0.0.1:2380"]],
                "started": True,
            },
        )

    def test_started_is_no_number(self) -> None:
        """Nothing but true and false says whether it was started."""
        record = {**self.record, "started": 0}
        error = self.assertRaises(
            DataDirectoryError, founding_from_record, record, "/d/founding.json"
        )
        self.assertIn("/d/founding.json: not a record of e2d ('started'", str(error))

    @settings(deadline=None)  # a busy machine is no failure
    @given(
        st.dictionaries(
            st.sampled_from(["founding", "cluster", "peers", "started"]), JSON
        )
    )
    def test_any_record(self, changes: dict[str, object]) -> None:
        """Whatever JSON is there gives a founding or a DataDirectoryError."""
        try:
            founding = founding_from_record({**self.record, **changes}, "x")
        except DataDirectoryError:
            return
        self.assertIsInstance(founding.started, bool)


class PauseTests(SynchronousTestCase):
    """The record of a pause."""

    def test_no_time(self) -> None:
        """A pause without a readable end is refused."""
        record = {"until": "tomorrow", "by": "uid 0", "reason": ""}
        error = self.assertRaises(DataDirectoryError, pause_from_record, record, "x")
        self.assertIn("not a time: 'tomorrow'", str(error))

    def test_time_of_no_zone(self) -> None:
        """Nor may its end depend on where it is read."""
        record = {"until": "2026-03-01T12:00:00", "by": "uid 0", "reason": ""}
        error = self.assertRaises(DataDirectoryError, pause_from_record, record, "x")
        self.assertIn("without its offset", str(error))
