"""The suite and the probe over TLS, with real certificates: a good one passes, each bad one is explained."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chatkit_asgi.cli import main
from tests.conformance.matrix import sound
from tests.conformance.serving import uvicorn_serving

ADA = ["--header", "authorization: Bearer ada"]
PEM = serialization.Encoding.PEM
SIGNS = ("digital_signature", "key_cert_sign", "crl_sign")
USES = (
    *SIGNS, "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
    "decipher_only",
)  # fmt: skip


def certificate(path: Path, *, days: int = 1) -> Path:
    """A file with a certificate for 127.0.0.1 that is signed by itself, and its key.

    Args:
        path: The file.
        days: How long it is good from now; negative if it has expired.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chatkit-asgi tests")])
    ends = datetime.now(UTC) + timedelta(days=days)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=30))
        .not_valid_after(ends)
    )
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    public = key.public_key()
    for extension, critical in (
        (x509.SubjectAlternativeName([host]), False),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.KeyUsage(**{use: use in SIGNS for use in USES}), True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
    ):
        builder = builder.add_extension(extension, critical)
    own = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(PEM) + own)
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that is good for whoever trusts it."""
    return certificate(tmp_path_factory.mktemp("tls") / "good.pem")


@pytest.fixture(scope="module")
def secure(good: Path) -> Iterator[str]:
    """The address of our testee behind TLS."""
    with uvicorn_serving(sound(), certificate=good) as url:
        yield url


def test_the_probe_finds_nothing_wrong_with_a_good_certificate(
    secure: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", secure, *ADA, "--cacert", str(good)]) == 0
    out = capsys.readouterr().out
    assert "ok    tls: the certificate is good" in out
    assert "ok    stream: threads.create is answered with text/event-stream" in out


def test_the_suite_runs_over_tls(secure: str, good: Path) -> None:
    """Both uploads and previews too: their links are https."""
    uploads = ["--section", "attachments", "--section", "transport", "--upload-url", "/attachments"]
    trust = ["--cacert", str(good)]
    assert main(["conformance", secure, *ADA, *uploads, *trust, "--strict", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("how", "found", "advice"),
    [
        ("untrusted", "self-signed certificate", "browsers refuse it"),
        ("expired", "certificate has expired", "Renew it"),
        ("of another host", "not valid for 'localhost'", "get one for this name"),
        ("of another authority", "self-signed certificate", "--cacert FILE"),
        ("plain", "TLS: ", "does not speak TLS"),
    ],
)
def test_each_bad_certificate_is_explained(
    how: str,
    found: str,
    advice: str,
    secure: str,
    good: Path,
    served: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trust = ["--cacert", str(good)]
    if how == "expired":
        expired = certificate(tmp_path / "expired.pem", days=-1)
        with uvicorn_serving(sound(), certificate=expired) as url:
            assert main(["probe", url, *ADA, "--cacert", str(expired)]) == 1
    elif how == "untrusted":
        assert main(["probe", secure, *ADA]) == 1
    elif how == "of another authority":
        other = certificate(tmp_path / "other.pem")
        assert main(["probe", secure, *ADA, "--cacert", str(other)]) == 1
    elif how == "of another host":
        assert main(["probe", secure.replace("127.0.0.1", "localhost"), *ADA, *trust]) == 1
    else:
        assert main(["probe", served.replace("http:", "https:"), *ADA]) == 1
    out = capsys.readouterr().out
    assert "WRONG tls: " in out
    assert found in out
    assert advice in out


def test_a_server_that_hangs_up_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """So do some that get TLS where they expect plain HTTP."""

    def hang_up() -> None:
        listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up)
        thread.start()
        assert main(["probe", f"https://127.0.0.1:{listener.getsockname()[1]}/"]) == 1
        thread.join()
    out = capsys.readouterr().out
    assert "WRONG tls: TLS: the server closed the connection" in out
    assert "does not speak TLS" in out


def test_plain_http_to_a_server_with_tls_is_explained(
    secure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", secure.replace("https:", "http:"), *ADA]) == 1
    out = capsys.readouterr().out
    assert "WRONG address: no answer: the connection was closed" in out
    assert "it may speak TLS (https://)" in out


def test_a_certificate_that_was_not_looked_at_is_not_called_good(
    secure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", secure, *ADA, "--insecure"]) == 0
    assert "note  tls: the certificate was not looked at" in capsys.readouterr().out


def test_a_file_without_certificates_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "nothing.pem", tmp_path):
        assert main(["probe", "https://127.0.0.1:9/", "--cacert", str(path)]) == 2
        assert f"no certificates in {path}" in capsys.readouterr().err


def test_the_suite_says_why_a_certificate_is_not_trusted(
    secure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conformance", secure, *ADA, "--select", "threads/rename"]) == 2
    assert "certificate verify failed" in capsys.readouterr().err
