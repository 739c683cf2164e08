"""Private keys of CAs, for tests."""

from __future__ import annotations

import tarfile
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "original"


@cache
def ca_key() -> bytes:
    """The RSA key of a CA that the original made, PKCS #1."""
    with tarfile.open(FIXTURES / "pki.tar.gz") as archive:
        file = archive.extractfile("pki/ca.key")
        assert file is not None
        return file.read()


def curve_key(form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    """A P-256 key whose private value is 0x010203...20."""
    number = int.from_bytes(bytes(range(1, 33)), "big")
    key = ec.derive_private_key(number, ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, form, NoEncryption())
