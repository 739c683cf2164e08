"""What is shown loads to the same."""

from __future__ import annotations

import json

import yaml
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.config import ConfigurationError, default, load, show
from e2d.config.keys import ALPHA, BETA
from e2d.config.values import Configuration
from e2d.config.writing import as_document, changed_keys, show_with_secrets
from tests.config.golden import valid_files
from tests.config.loading import HOST, HOSTLESS, loaded

_MASKED = "gossip: {keys: [MDEyMzQ1Njc4OWFiY2RlZg==]}"


def _again(made: Configuration) -> Configuration:
    text = show_with_secrets(made)
    return load(text, source="shown.yaml", host=HOSTLESS).configuration


def _seconds() -> st.SearchStrategy[str]:
    return st.integers(1, 10**15).map(lambda number: f"{number}us")


def _files() -> st.SearchStrategy[dict[str, object]]:
    ports = st.integers(8000, 65535)  # beyond the API's
    names = st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True)
    return st.fixed_dictionaries(
        {
            "apiVersion": st.sampled_from([ALPHA, BETA]),
            "clientAddr": ports.map(lambda port: f"10.1.1.1:{port}"),
            "peerAddr": st.fixed_dictionaries(
                {"host": st.sampled_from(["10.1.1.2", "2001:db8::1"])},
                optional={"port": ports, "advertise": st.just("n1.example.com")},
            ),
        },
        optional={
            "dataDir": st.text(
                st.characters(categories=["L", "N", "P", "S"]), min_size=1
            ),
            "evictAfter": _seconds(),
            "cluster": names.map(lambda name: {"name": name}),
            "unsafeNoFsync": st.booleans(),
            "etcd": st.fixed_dictionaries(
                {},
                optional={
                    "extraArgs": st.dictionaries(
                        st.sampled_from(["heartbeat-interval", "enable-pprof"]),
                        st.none() | st.integers(0, 999) | st.booleans(),
                    ),
                    "quotaBackendBytes": st.integers(1, 1 << 40),
                    "env": st.dictionaries(
                        st.from_regex("[A-Z]{3,8}", fullmatch=True).filter(
                            lambda name: name not in {"PATH", "HOME"}
                        ),
                        st.text(st.characters(categories=["L", "N"]), max_size=9),
                    ),
                },
            ),
            "membership": st.fixed_dictionaries(
                {}, optional={"keepSeat": _seconds(), "learners": st.booleans()}
            ),
            "snapshot": st.fixed_dictionaries(
                {},
                optional={
                    "compression": st.sampled_from([True, False, "zstd", "gzip"]),
                    "file": st.sampled_from(["file:///x", "s3://bucket/d/"]),
                    "limitRate": st.just("none") | st.integers(1024, 1 << 40),
                },
            ),
            "recovery": st.fixed_dictionaries(
                {}, optional={"after": st.just("never") | _seconds()}
            ),
        },
    )


class RoundTripTests(SynchronousTestCase):
    """Conversion keeps the meaning."""

    def test_fixtures(self) -> None:
        """Each valid file, shown and loaded on any host, means the same."""
        for path in valid_files():
            made = load(path.read_text("utf-8"), source=path.name, host=HOST)
            again = _again(made.configuration)
            if not made.configuration.gossip_ring.enabled:
                # A ring that is not run has the address of the host it is read on.
                again = _with_gossip(again, made.configuration)
            self.assertEqual(made.configuration, again, path.name)

    @settings(max_examples=60, deadline=None)
    @given(_files())
    def test_any_file(self, document: dict[str, object]) -> None:
        """Any file, shown and loaded, means the same."""
        text = yaml.safe_dump(document, allow_unicode=True)
        made = loaded(text)
        again = load(show_with_secrets(made), source="shown", host=HOST)
        self.assertEqual(made, again.configuration)

    def test_newest_form(self) -> None:
        """An old file is shown in the newest form, its defaults spelled out."""
        document = yaml.safe_load(show(loaded("kind: Configuration")))
        self.assertEqual("e2d.crit.sh/v1beta1", document["apiVersion"])
        self.assertEqual("0s", document["compactionInterval"])
        self.assertIs(False, document["membership"]["learners"])
        self.assertEqual("none", document["snapshot"]["compression"])

    def test_version_is_not_meaning(self) -> None:
        """Two files that mean the same are equal, whatever version they have."""
        made = loaded("kind: Configuration")
        self.assertEqual(made, loaded(show(made)))


def _with_gossip(made: Configuration, other: Configuration) -> Configuration:
    return evolve(made, gossip=other.gossip)


class SecretTests(SynchronousTestCase):
    """What is shown holds no secret."""

    def test_masked(self) -> None:
        """Keys are shown as stars, as YAML, as JSON and in the value's own text."""
        made = loaded(_MASKED)
        for text in (show(made), json.dumps(as_document(made)), repr(made), str(made)):
            self.assertNotIn("MDEyMzQ1", text)
            self.assertIn("***", text)

    def test_stars_are_not_a_secret(self) -> None:
        """A shown file does not load with stars for keys."""
        text = show(loaded(_MASKED))
        self.assertRaises(ConfigurationError, load, text, source="shown", host=HOST)


class DefaultTests(SynchronousTestCase):
    """The configuration of a run without a file."""

    def test_loopback_only(self) -> None:
        """Nothing is reachable from another host."""
        made = default(HOST).configuration
        for endpoint in (made.client, made.peer, made.gossip):
            self.assertEqual("127.0.0.1", endpoint.listen.host)
            self.assertEqual("127.0.0.1", endpoint.advertise.host)
        self.assertEqual("127.0.0.1", made.api.addr.host)

    def test_any_host(self) -> None:
        """It needs no network."""
        self.assertEqual(default(HOST).configuration, default(HOSTLESS).configuration)

    def test_quiet(self) -> None:
        """There is nothing to warn about."""
        self.assertEqual((), default(HOST).warnings)


class ChangedKeysTests(SynchronousTestCase):
    """What differs between two files, in the words of the files."""

    def test_names_what_differs(self) -> None:
        """Only the keys that differ, as they are written."""
        before = loaded("compactionInterval: 5m\ndataDir: a")
        after = loaded("dataDir: b\napi: {addr: '127.0.0.1:9'}")
        self.assertEqual(
            changed_keys(before, after), ("api.addr", "compactionInterval", "dataDir")
        )

    def test_a_key_that_appears(self) -> None:
        """What only one of the two has differs, and what comes with it."""
        before, after = loaded("{}"), loaded("metrics: {addr: '127.0.0.1:4001'}")
        self.assertEqual(
            changed_keys(before, after), ("metrics.addr", "metrics.disableAuth")
        )

    def test_the_version_alone_is_no_change(self) -> None:
        """A file that was converted means the same."""
        self.assertEqual(changed_keys(loaded("{}"), loaded("kind: Configuration")), ())

    def test_secrets_are_not_shown(self) -> None:
        """A changed key of the ring is a change, and is told by its key only."""
        before = loaded("gossip: {keys: [MDEyMzQ1Njc4OWFiY2RlZg==]}")
        after = loaded("gossip: {keys: [MDEyMzQ1Njc4OWFiY2RlZz==]}")
        self.assertEqual(changed_keys(before, after), ("gossip.keys",))
