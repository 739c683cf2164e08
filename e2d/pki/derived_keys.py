"""
Keys that follow from the CA's private key, so that whoever has that needs no other.

Each use has a key of its own: who learns one learns neither the others nor the CA's.
The original has a single one for everything; that is here too, to talk to it and to
read what it wrote.
"""

from __future__ import annotations

import re
from base64 import b64decode
from enum import Enum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512_256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key

__all__ = ["CAKeyError", "KeyUse", "derive_key", "derive_original_key"]

_KEY_BYTES = 32
_FIRST_BLOCK = re.compile(rb"-----BEGIN ([^-]+)-----\s(.*?)-----END ", re.DOTALL)
_PKCS1 = b"RSA PRIVATE KEY"

_PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey


class KeyUse(Enum):
    """What a key is for; the value is HKDF's context, and never changes."""

    GOSSIP = "e2d gossip ring v1"


class CAKeyError(Exception):
    """A CA's private key that no other can be derived from; one line, without it."""


def derive_key(ca_key: bytes, use: KeyUse) -> bytes:
    """
    Derive the key for one use: HKDF with SHA-256 and without salt.

    Its secret is the number in the CA's key: RSA's private exponent, or the private
    value of an elliptic curve. So the file may be PKCS #1, SEC 1 or PKCS #8 alike.

    :param ca_key: the file's content, PEM.
    :return: 32 bytes.
    :raises CAKeyError: there is no private key in it that is understood.
    """
    kdf = HKDF(
        algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=use.value.encode()
    )
    return kdf.derive(_secret(_load(ca_key)))


def derive_original_key(ca_key: bytes) -> bytes:
    """
    Derive the original's one key: SHA-512/256 of what is in the PEM block, as it is.

    :param ca_key: the file's content, PEM, PKCS #1 as the original wants it.
    :return: 32 bytes.
    :raises CAKeyError: it is not what the original takes.
    """
    block = _FIRST_BLOCK.search(ca_key)
    if block is None or block[1] != _PKCS1:
        raise CAKeyError(
            "the CA's key is not RSA in the form PKCS #1, the only one that the "
            "original takes: convert it with `openssl rsa -traditional`"
        )
    _load(ca_key)
    digest = Hash(SHA512_256())
    digest.update(b64decode(block[2]))
    return digest.finalize()


def _load(ca_key: bytes) -> _PrivateKey:
    try:
        key = load_pem_private_key(ca_key, password=None)
    except (ValueError, UnsupportedAlgorithm):
        raise CAKeyError(
            "there is no private key in PEM in the CA's key file"
        ) from None
    except TypeError:
        raise CAKeyError("the CA's key is encrypted with a passphrase") from None
    if isinstance(key, _PrivateKey):
        return key
    raise CAKeyError("the CA's key is neither RSA, nor ECDSA, nor Ed25519")


def _secret(key: _PrivateKey) -> bytes:
    match key:
        case RSAPrivateKey():
            return _octets(key.private_numbers().d, key.key_size)
        case EllipticCurvePrivateKey():
            return _octets(key.private_numbers().private_value, key.key_size)
        case Ed25519PrivateKey():
            return key.private_bytes_raw()


def _octets(number: int, size_bits: int) -> bytes:
    return number.to_bytes((size_bits + 7) // 8, "big")
