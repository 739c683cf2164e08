"""
The keys of a ring, and what is sealed with them.

A sealed message is ``version || nonce || ciphertext || tag``: AES-GCM with a nonce of
12 bytes and a tag of 16. Version 0 pads to whole blocks first (PKCS #7).
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from e2d.swim.errors import Fault, WireError

__all__ = ["KEY_BYTES", "Keyring", "KeyringError"]

KEY_BYTES = (16, 24, 32)
"""How long a key may be: AES-128, AES-192, AES-256."""

_NONCE_BYTES = 12
_TAG_BYTES = 16
_BLOCK_BYTES = 16
_HEAD_BYTES = 1 + _NONCE_BYTES
_PADDED = 0
_UNPADDED = 1


class KeyringError(Exception):
    """Something that a keyring refuses; the message is one line, without a key."""


@frozen
class Keyring:
    """
    One key to seal with, and all that are tried to open.

    An empty ring does not exist: where nothing is sealed there is no keyring.

    :ivar keys: the first is the one in use.
    :raises KeyringError: there is none, one twice, or one of another length.
    """

    keys: tuple[bytes, ...] = field(repr=lambda keys: f"<{len(keys)} keys>")
    _ciphers: tuple[AESGCM, ...] = field(init=False, repr=False, eq=False)

    @_ciphers.default
    def _make_ciphers(self) -> tuple[AESGCM, ...]:
        if not self.keys:
            raise KeyringError("a keyring needs a key")
        if len(set(self.keys)) < len(self.keys):
            raise KeyringError("a key is in the keyring twice")
        for key in self.keys:
            if len(key) not in KEY_BYTES:
                raise KeyringError(f"a key has {len(key)} bytes, not 16, 24 or 32")
        return tuple(AESGCM(key) for key in self.keys)

    @property
    def primary(self) -> bytes:
        """The key that seals."""
        return self.keys[0]

    @staticmethod
    def overhead(version: int) -> int:
        """The most that a message grows by when it is sealed."""
        return _HEAD_BYTES + _TAG_BYTES + (_BLOCK_BYTES if version == _PADDED else 0)

    @staticmethod
    def sealed_bytes(plain_bytes: int, version: int) -> int:
        """How long a message is, sealed."""
        padding = _padding_bytes(plain_bytes) if version == _PADDED else 0
        return _HEAD_BYTES + plain_bytes + padding + _TAG_BYTES

    def add(self, key: bytes) -> Keyring:
        """
        Accept one more key; nothing changes where it is accepted already.

        :raises KeyringError: it has a length that keys do not have.
        """
        return self if key in self.keys else Keyring((*self.keys, key))

    def use(self, key: bytes) -> Keyring:
        """
        Seal with another key that is accepted already.

        :raises KeyringError: it is not.
        """
        if key not in self.keys:
            raise KeyringError("the key is not in the keyring")
        return Keyring((key, *(each for each in self.keys if each != key)))

    def remove(self, key: bytes) -> Keyring:
        """
        Accept a key no longer; nothing changes where it is not accepted anyway.

        :raises KeyringError: it is the one in use.
        """
        if key == self.primary:
            raise KeyringError("the key is in use")
        return Keyring(tuple(each for each in self.keys if each != key))

    def seal(
        self,
        plain: bytes,
        *,
        version: int,
        associated: bytes,
        nonce: Callable[[int], bytes],
    ) -> bytes:
        """
        Encrypt.

        :param version: 0 or 1.
        :param associated: what the other side must know to open it, and is not sent.
        :param nonce: gives so many bytes that were never used with this key.
        """
        assert version in {_PADDED, _UNPADDED}
        if version == _PADDED:
            padding = _padding_bytes(len(plain))
            plain += bytes([padding]) * padding
        unique = nonce(_NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(unique, plain, associated)
        return b"%c%b%b" % (version, unique, sealed)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """
        Decrypt with the first key that fits.

        :raises WireError: none does, or it is not a sealed message.
        """
        if len(sealed) < _HEAD_BYTES + _TAG_BYTES:
            raise WireError(Fault.SEALED, "too short to be encrypted")
        version = sealed[0]
        if version > _UNPADDED:
            raise WireError(Fault.SEALED, f"encrypted in unknown version {version}")
        nonce = sealed[1:_HEAD_BYTES]
        ciphertext = memoryview(sealed)[_HEAD_BYTES:]
        for cipher in self._ciphers:
            try:
                plain = cipher.decrypt(nonce, ciphertext, associated)
            except InvalidTag:
                continue
            return plain if version == _UNPADDED else _unpadded(plain)
        raise WireError(Fault.SEALED, "encrypted with no key of ours")


def _padding_bytes(plain_bytes: int) -> int:
    return _BLOCK_BYTES - plain_bytes % _BLOCK_BYTES


def _unpadded(plain: bytes) -> bytes:
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= _BLOCK_BYTES or len(plain) % _BLOCK_BYTES:
        raise WireError(Fault.SEALED, "padded wrongly")
    if plain[-padding:] != bytes([padding]) * padding:
        raise WireError(Fault.SEALED, "padded wrongly")
    return plain[:-padding]
