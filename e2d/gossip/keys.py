"""With which keys a node seals and opens gossip when it starts."""

from __future__ import annotations

from e2d.config.choices import GossipCompatibility
from e2d.config.ring_keys import parse_ring_key, parse_ring_keys
from e2d.config.values import Gossip
from e2d.pki.derived_keys import CAKeyError, KeyUse, derive_key, derive_original_key

__all__ = ["ORIGINAL_ZERO_KEY", "RingKeyError", "ring_keys"]

ORIGINAL_ZERO_KEY = bytes(32)
"""What the original's 1.0 line seals with if it has no CA's key: no secret (W-19)."""


class RingKeyError(Exception):
    """The keys of the ring cannot be had; one line that says why, without a key."""


def ring_keys(
    ring: Gossip, *, ca_key: bytes | None, keys_file: str | None
) -> tuple[bytes, ...]:
    """
    The keys a node starts with, before any was changed across the ring.

    What is configured comes first, then what follows from the CA's key: with
    ``gossip.compat`` as the original derives it.

    :param ring: checked: TLS without any key was refused, or accepted by its author.
    :param ca_key: the content of ``caKey``, None where none is configured.
    :param keys_file: the content of ``gossip.keysFile``, None where none is configured.
    :return: the first seals, all open; none at all: gossip in the clear.
    :raises RingKeyError: a file is not what it should be.
    """
    if ring.keys:
        return tuple(parse_ring_key(key.reveal()) for key in ring.keys)
    if keys_file is not None:
        return _from_file(ring, keys_file)
    if ca_key is not None:
        return (_derived(ring, ca_key),)
    if ring.compat is GossipCompatibility.ORIGINAL:
        return (ORIGINAL_ZERO_KEY,)
    return ()


def _from_file(ring: Gossip, content: str) -> tuple[bytes, ...]:
    try:
        return parse_ring_keys(content)
    except ValueError as error:
        raise RingKeyError(f"gossip.keysFile {ring.keys_file}: {error}") from None


def _derived(ring: Gossip, ca_key: bytes) -> bytes:
    try:
        if ring.compat is not None:
            return derive_original_key(ca_key)
        return derive_key(ca_key, KeyUse.GOSSIP)
    except CAKeyError as error:
        raise RingKeyError(f"caKey: {error}") from None
