"""What is written down about a start of etcd."""

from __future__ import annotations

import json

from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.command import arguments
from e2d.etcd.launches import Launch, elsewhere, outdated
from e2d.model import Elsewhere, EtcdVersion
from tests.etcd.samples import START, endpoint, options, settings

_V35 = EtcdVersion(3, 5, 16)
_LAUNCH = Launch(
    launch_id="cafe",
    boot_id="b00t",
    version="3.5.16",
    command=("/usr/bin/etcd", *arguments(settings(), START, _V35)),
    start=START,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


class RecordTests(SynchronousTestCase):
    """As JSON."""

    def test_round_trip(self) -> None:
        """What was written is what is read."""
        launch = _LAUNCH.spawned(12, 777)
        self.assertEqual(
            Launch.from_record(json.loads(json.dumps(launch.to_record()))), launch
        )

    @given(st.sampled_from(sorted(_LAUNCH.to_record())), _JSON)
    def test_any_value(self, name: str, value: object) -> None:
        """Whatever a record holds, it is a launch or none."""
        read = Launch.from_record({**_LAUNCH.to_record(), name: value})
        self.assertIsInstance(read, Launch | None)

    def test_incomplete(self) -> None:
        """A record without its id is none."""
        record = _LAUNCH.to_record()
        del record["launch_id"]
        self.assertIsNone(Launch.from_record(record))


class CommandTests(SynchronousTestCase):
    """As the arguments of its process show it."""

    def test_round_trip(self) -> None:
        """What it was started with is read back, its version apart."""
        read = Launch.from_command("cafe", "b00t", _LAUNCH.command)
        self.assertEqual(read, evolve(_LAUNCH, version=None))

    def test_wrapper(self) -> None:
        """The interpreter of a wrapper does not count."""
        command = ("/bin/sh", *_LAUNCH.command)
        read = Launch.from_command("cafe", "b00t", command)
        self.assertEqual(read.command, _LAUNCH.command)

    @example(["=a", "a=b"])
    @given(st.lists(st.text(max_size=9) | st.sampled_from(_LAUNCH.command)))
    def test_any_arguments(self, command: list[str]) -> None:
        """Whatever the arguments are, they are a launch or none."""
        read = Launch.from_command("cafe", "b00t", tuple(command))
        self.assertIsInstance(read, Launch | None)


class OutdatedTests(SynchronousTestCase):
    """Whether what runs is what would be started now."""

    def test_the_same(self) -> None:
        """Nothing to say."""
        self.assertIsNone(outdated(_LAUNCH, settings(), "/usr/bin/etcd", _V35))

    def test_other_settings(self) -> None:
        """The flags that differ are named."""
        changed = settings(options=options(log_level="debug", quota_backend_bytes=9))
        said = outdated(_LAUNCH, changed, "/usr/bin/etcd", _V35)
        self.assertIn("(--log-level, --quota-backend-bytes)", said)

    def test_unknown_version(self) -> None:
        """A version that is not known is not said to differ."""
        unknown = evolve(_LAUNCH, version=None)
        self.assertIsNone(outdated(unknown, settings(), "/usr/bin/etcd", _V35))

    def test_other_version(self) -> None:
        """An upgrade that was installed but not applied is said."""
        said = outdated(_LAUNCH, settings(), "/usr/bin/etcd", EtcdVersion(3, 6, 14))
        self.assertIn("etcd 3.5.16 runs", said)
        self.assertIn("3.6.14 is installed", said)


class ElsewhereTests(SynchronousTestCase):
    """Where an etcd is that was started with other addresses."""

    def test_the_same(self) -> None:
        """Nowhere else, also when other settings differ or nothing can be told."""
        changed = settings(options=options(log_level="debug"))
        self.assertIsNone(elsewhere(_LAUNCH, changed))
        unknown = evolve(_LAUNCH, command=("/usr/bin/etcd",))
        self.assertIsNone(elsewhere(unknown, settings()))

    def test_clients(self) -> None:
        """Where clients were served."""
        moved = settings(client=endpoint("127.0.0.1", 4001))
        self.assertEqual(
            elsewhere(_LAUNCH, moved),
            Elsewhere(client_url="http://127.0.0.1:2379", peer_url=None),
        )

    def test_peers(self) -> None:
        """Where peers were served."""
        moved = settings(peer=endpoint("127.0.0.1", 7001))
        self.assertEqual(
            elsewhere(_LAUNCH, moved),
            Elsewhere(client_url=None, peer_url="http://127.0.0.1:2380"),
        )
