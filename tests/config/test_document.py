"""YAML is read within bounds, and any text is answered."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.config import ConfigurationError, load
from tests.config.loading import HOST, loaded, refused, warned

_PIECES = [
    *"{}[]:-,&*!|>'\"%@`#? \n\tab01<~.",
    *("dataDir: ", "clientAddr: ", "discovery: ", "matches: ", "etcd: ", "<<: "),
    *("extraArgs: ", "snapshot: ", "file: ", "\n  ", ": ", "10.0.0.1", "5m", "---\n"),
]


class BoundsTests(SynchronousTestCase):
    """Hostile texts."""

    def test_alias_bomb(self) -> None:
        """A billion values in a few lines are not expanded."""
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        for level in range(1, 10):
            uses = ", ".join([f"*a{level - 1}"] * 9)
            lines.append(f"a{level}: &a{level} [{uses}]")
        self.assertEqual(1, len(refused("\n".join(lines))))

    def test_merge_bomb(self) -> None:
        """Merge keys are counted too."""
        lines = ["a0: &a0 {x: 1}"]
        for level in range(1, 10):
            uses = ", ".join([f"*a{level - 1}"] * 9)
            lines.append(f"a{level}: &a{level} {{<<: [{uses}]}}")
        said = refused("\n".join(lines))
        self.assertEqual(1, len(said))
        self.assertIn("aliases expand to too many values", said[0])

    def test_many_values(self) -> None:
        """Ten thousand values are no configuration."""
        said = refused("dataDir: [" + "x, " * 11_000 + "]")
        self.assertIn("too many values", said[0])

    def test_deep(self) -> None:
        """Nesting is bounded before it is recursed into."""
        said = refused("{a: " * 50_000)
        self.assertEqual(1, len(said))
        self.assertIn("nested too deeply", said[0])

    def test_many_documents(self) -> None:
        """Documents count as values."""
        self.assertIn("too many values", refused("---\n" * 20_000)[0])

    def test_large(self) -> None:
        """More than a mebibyte is not looked at."""
        said = refused("#" * ((1 << 20) + 1))
        self.assertEqual(["test.yaml: larger than 1 MiB, so no configuration"], said)

    def test_huge_number(self) -> None:
        """A number of ten thousand digits is refused like any other."""
        said = refused("requiredClusterSize: " + "9" * 10_000)
        self.assertEqual(1, len(said))
        self.assertLess(len(said[0]), 200)

    @settings(max_examples=200, deadline=None)
    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text loads or raises ConfigurationError."""
        try:
            load(text, source="x", host=HOST)
        except ConfigurationError:
            return

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from(_PIECES)).map("".join))
    def test_nearly_yaml(self, text: str) -> None:
        """Texts that are nearly YAML load or raise ConfigurationError."""
        try:
            load(text, source="x", host=HOST)
        except ConfigurationError:
            return


class MeaningTests(SynchronousTestCase):
    """YAML as Go's reader means it."""

    def test_json(self) -> None:
        """JSON is YAML."""
        self.assertEqual("x", loaded('{"dataDir": "x"}').data_dir)

    def test_mark(self) -> None:
        """A byte order mark is no character of the first key."""
        self.assertEqual("x", loaded("\ufeffdataDir: x").data_dir)

    def test_first_document(self) -> None:
        """The first document that holds something is read; the next is named."""
        text = "---\n# nothing\n---\ndataDir: x\n---\ndataDir: y\n"
        self.assertEqual("x", loaded(text).data_dir)
        self.assertEqual(
            ["test.yaml:6:1: only the first document is read, this one is not"],
            warned(text),
        )

    def test_merge(self) -> None:
        """A key beside a merge wins over what is merged."""
        made = loaded(
            "clientAddr: &a {host: 10.0.0.1, port: 1}\npeerAddr: {port: 2, <<: *a}"
        )
        self.assertEqual("10.0.0.1", made.peer.listen.host)
        self.assertEqual(2, made.peer.listen.port)

    def test_base_sixty(self) -> None:
        """``1:30`` is text, not ninety."""
        self.assertEqual("1:30", loaded("dataDir: 1:30").data_dir)

    def test_dates(self) -> None:
        """A date is text."""
        self.assertEqual("2026-01-31", loaded("dataDir: 2026-01-31").data_dir)

    def test_octal(self) -> None:
        """``03`` is three, ``0x3`` too."""
        seeds = "\ndiscovery: {initialPeers: ['10.0.0.6:1']}"
        self.assertEqual(
            3, loaded("requiredClusterSize: 03" + seeds).required_cluster_size
        )
        self.assertEqual(
            3, loaded("requiredClusterSize: 0x3" + seeds).required_cluster_size
        )
