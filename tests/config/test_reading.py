"""Which file is read, and what is said of one that can't be."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.config import ConfigurationError, Loaded, default
from e2d.config.reading import read_configuration
from tests.config.loading import HOST


def _files(**files: bytes) -> Callable[[str], BinaryIO]:
    def opener(name: str) -> BinaryIO:
        try:
            return BytesIO(files[name.replace(".", "_")])
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", name) from None

    return opener


def _failing(error: OSError) -> Callable[[str], BinaryIO]:
    def opener(_name: str) -> BinaryIO:
        raise error

    return opener


class ReadingTests(SynchronousTestCase):
    """The rules about files."""

    def read(
        self, path: str | None, opener: Callable[[str], BinaryIO], stdin: bytes = b""
    ) -> Loaded:
        """Read with these files."""
        return read_configuration(
            path, opener=opener, standard_input=BytesIO(stdin), host=HOST
        )

    def refusal(self, path: str | None, opener: Callable[[str], BinaryIO]) -> str:
        """The one message."""
        error = self.assertRaises(ConfigurationError, self.read, path, opener)
        assert isinstance(error, ConfigurationError)
        return str(error)

    def test_named(self) -> None:
        """A named file is read."""
        loaded = self.read("a.yaml", _files(a_yaml=b"dataDir: x"))
        self.assertEqual("x", loaded.configuration.data_dir)
        self.assertEqual("a.yaml", loaded.source)

    def test_named_and_missing(self) -> None:
        """A named file that is missing is an error, not a single node (W-12)."""
        said = self.refusal("a.yaml", _files(config_yaml=b"dataDir: x"))
        self.assertEqual("a.yaml: there is no such file", said)

    def test_found(self) -> None:
        """Without a name config.yaml is read."""
        loaded = self.read(None, _files(config_yaml=b"dataDir: x"))
        self.assertEqual("config.yaml", loaded.source)

    def test_none(self) -> None:
        """Without any file it is a single node on loopback."""
        self.assertEqual(default(HOST), self.read(None, _files()))

    def test_standard_input(self) -> None:
        """``-`` is standard input (W-12)."""
        loaded = self.read("-", _files(), stdin=b"dataDir: x")
        self.assertEqual("x", loaded.configuration.data_dir)
        self.assertEqual("<stdin>", loaded.source)

    def test_directory(self) -> None:
        """A directory is called one."""
        said = self.refusal("etc", _failing(IsADirectoryError(21, "Is a directory")))
        self.assertEqual("etc: this is a directory; name the file in it", said)

    def test_unreadable(self) -> None:
        """Without permission nothing else is tried, even for config.yaml."""
        said = self.refusal(None, _failing(PermissionError(13, "Permission denied")))
        self.assertEqual("config.yaml: no permission to read it", said)

    def test_broken_disk(self) -> None:
        """Any other error is told in the system's words."""
        said = self.refusal("a", _failing(OSError(5, "Input/output error")))
        self.assertEqual("a: it can't be read: Input/output error", said)

    def test_not_text(self) -> None:
        """Bytes that are not UTF-8 are named with their place."""
        said = self.refusal("a", _files(a="dataDir: x\n# é".encode() + b" \xff"))
        self.assertEqual("a:2:5: not UTF-8: the byte 0xff; save it as UTF-8", said)

    @given(st.binary())
    def test_any_bytes(self, content: bytes) -> None:
        """Any bytes load or raise ConfigurationError."""
        try:
            self.read("a", _files(a=content))
        except ConfigurationError:
            return

    def test_too_large(self) -> None:
        """A file without an end is not read to its end."""
        said = self.refusal("a", _files(a=b"#" * (1 << 21)))
        self.assertEqual("a: larger than 1 MiB, so no configuration", said)
