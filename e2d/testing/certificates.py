"""Throw-away certificates for tests that need TLS."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["TestAuthority", "TestLeaf"]

_LIFETIME = timedelta(days=2)


@frozen
class TestLeaf:
    """Paths of a certificate and its key, PEM."""

    cert: Path
    key: Path


@frozen
class TestAuthority:
    """
    A CA that lives in a directory.

    :param directory: where everything is written; ``ca.crt`` among it.
    :param now: an aware datetime, around which everything is valid.
    """

    directory: Path
    now: datetime
    _key: ec.EllipticCurvePrivateKey
    _name: x509.Name

    @classmethod
    def make(cls, directory: Path, now: datetime) -> TestAuthority:
        """Make the CA's key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name_of("test authority")
        certificate = (
            _unsigned(name, name, key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        _write_certificate(directory / "ca.crt", certificate)
        return cls(directory, now, key, name)

    @property
    def ca(self) -> Path:
        """The CA's certificate, PEM."""
        return self.directory / "ca.crt"

    def issue(self, common_name: str) -> TestLeaf:
        """A leaf for server and client, valid for loopback addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.DNSName("localhost"),
            *(x509.IPAddress(ip_address(f"127.0.0.{last}")) for last in range(1, 5)),
            x509.IPAddress(ip_address("::1")),
        ]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            _unsigned(_name_of(common_name), self._name, key.public_key(), self.now)
            .add_extension(x509.SubjectAlternativeName(names), False)
            .add_extension(x509.ExtendedKeyUsage(usages), False)
            .sign(self._key, hashes.SHA256())
        )
        leaf = TestLeaf(
            self.directory / f"{common_name}.crt", self.directory / f"{common_name}.key"
        )
        _write_certificate(leaf.cert, certificate)
        _write_key(leaf.key, key)
        return leaf


def _name_of(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFETIME)
        .not_valid_after(now + _LIFETIME)
    )


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(pem)
