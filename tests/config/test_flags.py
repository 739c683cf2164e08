"""Which of etcd's flags and variables are the operator's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.flags import environment_refusal, flag_refusal
from tests.config.loading import loaded, refused


class FlagTests(SynchronousTestCase):
    """``etcd.extraArgs``."""

    def test_both_forms(self) -> None:
        """A list and a mapping come to the same flags, in their order."""
        flags = (("heartbeat-interval", "250"), ("enable-pprof", None))
        listed = loaded("etcd: {extraArgs: [--heartbeat-interval=250, -enable-pprof]}")
        mapped = loaded("etcd: {extraArgs: {heartbeat-interval: 250, enable-pprof: }}")
        self.assertEqual(flags, listed.etcd.extra_args)
        self.assertEqual(flags, mapped.etcd.extra_args)

    def test_value_with_equals(self) -> None:
        """Only the first ``=`` ends the flag."""
        made = loaded("etcd: {extraArgs: ['--cors=a=b']}")
        self.assertEqual((("cors", "a=b"),), made.etcd.extra_args)

    def test_owned_in_any_spelling(self) -> None:
        """One dash or two, listed or mapped: an owned flag is refused."""
        for text in ("[-name=x]", "[--name=x]", "{name: x}", "{--name: x}"):
            said = refused(f"etcd: {{extraArgs: {text}}}")
            self.assertEqual(1, len(said))
            self.assertIn("may not set `--name`", said[0])

    def test_wal_dir(self) -> None:
        """A log on another disk could not be swapped with the data (C11)."""
        self.assertIn("one disk", flag_refusal("wal-dir"))


class EnvironmentTests(SynchronousTestCase):
    """``etcd.env``."""

    def test_sorted(self) -> None:
        """Variables are sorted by name."""
        made = loaded("etcd: {env: {GOGC: '50', GODEBUG: x=1}}")
        self.assertEqual((("GODEBUG", "x=1"), ("GOGC", "50")), made.etcd.env)

    def test_flags_in_disguise(self) -> None:
        """``ETCD_`` variables would set flags, owned or not."""
        self.assertIn("`dataDir`", environment_refusal("ETCD_DATA_DIR"))
        self.assertIn("extraArgs", environment_refusal("ETCD_SNAPSHOT_COUNT"))
        self.assertEqual("", environment_refusal("GOMAXPROCS"))
