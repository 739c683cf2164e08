"""Keys that follow from the CA's."""

from __future__ import annotations

import gzip
import hmac

from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from twisted.trial.unittest import SynchronousTestCase

from e2d.pki.derived_keys import CAKeyError, KeyUse, derive_key, derive_original_key
from tests.pki.samples import FIXTURES, ca_key, curve_key


class DerivedKeyTests(SynchronousTestCase):
    """HKDF of the CA's key."""

    def test_vectors(self) -> None:
        """The key of a use never changes; openssl kdf says the same."""
        self.assertEqual(
            "1f291d48b4088c7cd377b88828d15dddcea444e878bd3de7ca8c4f138fea23eb",
            derive_key(ca_key(), KeyUse.GOSSIP).hex(),
        )
        self.assertEqual(
            "18353ec25f507ed163b9f38e12f3b02cbf661ae688bdc3e7dcee4bf584bba2b7",
            derive_key(curve_key(), KeyUse.GOSSIP).hex(),
        )

    def test_ed25519(self) -> None:
        """An Ed25519 key is its 32 bytes, here those of the other curve's number."""
        key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.assertEqual(
            "18353ec25f507ed163b9f38e12f3b02cbf661ae688bdc3e7dcee4bf584bba2b7",
            derive_key(pem, KeyUse.GOSSIP).hex(),
        )

    def test_forms_of_the_file(self) -> None:
        """A file that was converted gives the same key."""
        loaded = load_pem_private_key(ca_key(), None)
        converted = loaded.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self.assertEqual(
            derive_key(ca_key(), KeyUse.GOSSIP), derive_key(converted, KeyUse.GOSSIP)
        )
        self.assertEqual(
            derive_key(curve_key(PrivateFormat.TraditionalOpenSSL), KeyUse.GOSSIP),
            derive_key(curve_key(), KeyUse.GOSSIP),
        )

    def test_not_the_originals(self) -> None:
        """Whoever has the original's key, of its snapshots too, has not this one."""
        self.assertNotEqual(
            derive_original_key(ca_key()), derive_key(ca_key(), KeyUse.GOSSIP)
        )

    def refused(self, pem: bytes) -> str:
        """Why no key can be derived."""
        return str(self.assertRaises(CAKeyError, derive_key, pem, KeyUse.GOSSIP))

    def test_refusals(self) -> None:
        """A file without such a key is refused in one line."""
        nothing = "there is no private key in PEM in the CA's key file"
        self.assertEqual(nothing, self.refused(b""))
        self.assertEqual(nothing, self.refused(ca_key()[:400]))
        encrypted = ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        self.assertEqual(
            "the CA's key is encrypted with a passphrase", self.refused(encrypted)
        )
        other = x25519.X25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self.assertEqual(
            "the CA's key is neither RSA, nor ECDSA, nor Ed25519", self.refused(other)
        )


class OriginalKeyTests(SynchronousTestCase):
    """The original's one key for everything."""

    def test_opens_a_snapshot(self) -> None:
        """The key opens, and authenticates, a snapshot that the original sealed."""
        key = derive_original_key(ca_key())
        snapshot = gzip.decompress((FIXTURES / "snapshot-gzip-encrypted").read_bytes())
        self.assertEqual(b"ENCRYPTED:", snapshot[:10])
        nonce, sealed, code = snapshot[13:29], snapshot[29:-32], snapshot[-32:]
        plain = Cipher(AES(key), CTR(nonce)).decryptor().update(sealed)
        self.assertEqual(24576, len(plain))
        self.assertEqual(code, hmac.digest(key, plain, "sha512_256"))

    def test_other_forms(self) -> None:
        """The original takes PKCS #1 alone; for others it is said how to convert."""
        for pem in (curve_key(), curve_key(PrivateFormat.TraditionalOpenSSL), b""):
            error = self.assertRaises(CAKeyError, derive_original_key, pem)
            self.assertEqual(
                "the CA's key is not RSA in the form PKCS #1, the only one that the "
                "original takes: convert it with `openssl rsa -traditional`",
                str(error),
            )

    def test_damaged(self) -> None:
        """A block that holds no key gives none."""
        damaged = ca_key().replace(b"M", b"N", 20)
        self.assertRaises(CAKeyError, derive_original_key, damaged)
