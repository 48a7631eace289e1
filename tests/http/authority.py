"""Certificates made for a test."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)


class Authority:
    """A certificate authority made for the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.file = folder / "ca.pem"
        self.file.write_bytes(pem(self._certificate(self.name, self.key, None)))

    @property
    def pem(self) -> str:
        return self.file.read_text()

    def mutual(self, host: str) -> ssl.SSLContext:
        """A server's context that lets in only clients of this authority."""
        context = self.context(host)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.file)
        return context

    def context(self, host: str, *, days: int = 1, own: bool = False) -> ssl.SSLContext:
        """A server's context; `own` is self-signed, negative `days` have passed."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._certificate(name, key, host, days=days, own=own)
        file = self.folder / f"{host}{days}{own}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(pem(certificate) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def client(self, name: str, *, password: bytes = b"") -> tuple[str, str]:
        """A client's certificate and private key, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        sealed = serialization.BestAvailableEncryption(password) if password else None
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            sealed or serialization.NoEncryption(),
        )
        certificate = pem(self._certificate(subject, key, name))
        return certificate.decode(), secret.decode()

    def _certificate(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        host: str | None,
        *,
        days: int = 1,
        own: bool = False,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if own else self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=9))
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.BasicConstraints(host is None, None), critical=True)
            .add_extension(_usage(signs=host is None), critical=True)
        )
        # Python 3.13 asks for the identifiers (X509_V_FLAG_X509_STRICT).
        issuer = (key if own else self.key).public_key()
        for identifier in (
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer),
        ):
            builder = builder.add_extension(identifier, critical=False)
        if host:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(key if own else self.key, hashes.SHA256())


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
