"""The signing key: made once, kept private, refused when it is not."""

import base64
import contextlib
import hashlib
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auth.errors import SettingRefused
from auth.jose import parse_token, read_jwks, verify_signature
from auth.keys import KEY_FILE, load_signing_key, secret_key

SECRET = "correct horse battery staple, and then some"


def test_a_second_start_reads_the_key_of_the_first(tmp_path: Path) -> None:
    """Tokens outlive a restart."""
    first = load_signing_key(tmp_path / "keys")
    second = load_signing_key(tmp_path / "keys")
    verify_signature(parse_token(first.sign({"sub": "ada"}, typ="at+jwt")), second.verify_key)
    assert first.kid == second.kid


def test_the_key_is_private_to_its_owner(tmp_path: Path) -> None:
    """The directory is 0700, the file 0600, and no draft stays behind."""
    load_signing_key(tmp_path / "keys")
    assert 0o700 == (tmp_path / "keys").stat().st_mode & 0o777
    assert [(KEY_FILE, 0o600)] == [(path.name, path.stat().st_mode & 0o777) for path in (tmp_path / "keys").iterdir()]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that somebody may have copied is not used in silence; the message says what to do."""
    load_signing_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(SettingRefused, match=f"may be read by other users \\(mode {mode:04o}\\).*chmod 600"):
        load_signing_key(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A damaged file is never replaced behind the operator's back: every token in use would end."""
    (tmp_path / KEY_FILE).write_bytes(content)
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(SettingRefused, match="is damaged"):
        load_signing_key(tmp_path)
    assert content == (tmp_path / KEY_FILE).read_bytes()


def test_a_key_of_another_type_is_refused(tmp_path: Path) -> None:
    """An RSA key under our name is a mistake to point out."""
    pem = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / KEY_FILE).write_bytes(pem)
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(SettingRefused, match="is not an Ed25519 key"):
        load_signing_key(tmp_path)


def test_a_directory_that_cannot_be_made_is_one_readable_line(tmp_path: Path) -> None:
    """The operator reads the path and the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingRefused) as refusal:
        load_signing_key(tmp_path / "file" / "keys")
    assert str(refusal.value) == f"The signing key {tmp_path}/file/keys/{KEY_FILE} cannot be used: Not a directory."


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    """Of eight first starts one makes the key, and all sign with it."""
    code = (
        "import sys, pathlib; from auth.keys import load_signing_key; print('ready', flush=True); sys.stdin.read(1);"
        "print(load_signing_key(pathlib.Path(sys.argv[1])).kid)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "keys")]
    root = Path(__file__).parents[3]
    starts = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(8)
    ]
    with contextlib.ExitStack() as stack:
        for start in starts:
            stack.enter_context(start)
        _release(starts)
        answers = {start.communicate()[0].strip() for start in starts}
    assert {load_signing_key(tmp_path / "keys").kid} == answers


def _release(starts: list[subprocess.Popen[str]]) -> None:
    """Let all go at once, when all are ready."""
    for start in starts:
        assert start.stdout is not None
        assert "ready\n" == start.stdout.readline()
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("\n")
        start.stdin.flush()


def test_kid_is_the_thumbprint_of_the_published_key(tmp_path: Path) -> None:
    """RFC 7638: SHA-256 over the required members in order, computed here by hand."""
    key = load_signing_key(tmp_path)
    keys = key.jwks["keys"]
    assert isinstance(keys, list)
    canonical = '{"crv":"Ed25519","kty":"OKP","x":"%s"}' % keys[0]["x"]  # noqa: UP031 - braces
    digest = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    assert (digest, digest) == (key.kid, keys[0]["kid"])


def test_the_published_document_verifies_our_tokens_and_holds_nothing_private(tmp_path: Path) -> None:
    """Others can check our tokens with `GET /.well-known/jwks.json` alone."""
    key = load_signing_key(tmp_path)
    (published,) = read_jwks(json.loads(json.dumps(key.jwks)))
    verify_signature(parse_token(key.sign({"sub": "ada"}, typ="at+jwt")), published)
    keys = key.jwks["keys"]
    assert isinstance(keys, list)
    assert {"kty", "crv", "x", "kid", "alg", "use"} == set(keys[0])


def test_a_short_secret_is_refused_without_being_repeated() -> None:
    """RFC 7518 §3.2 wants 256 bits; the message must not show what was typed."""
    with pytest.raises(SettingRefused) as refusal:
        secret_key("hunter2" * 4)
    assert str(refusal.value) == "HOMEROOM_JWT_SECRET must be at least 32 bytes long."


def test_a_pem_key_as_a_secret_is_refused_without_being_repeated(tmp_path: Path) -> None:
    """A public key pasted into the setting would let everybody sign."""
    load_signing_key(tmp_path)
    pem = (tmp_path / KEY_FILE).read_text()
    with pytest.raises(SettingRefused, match="not a PEM or SSH key") as refusal:
        secret_key(pem)
    assert pem.splitlines()[1] not in str(refusal.value)


def test_a_secret_publishes_and_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The secret is in no representation, log line or JWK set."""
    key = secret_key(SECRET)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("homeroom.auth").warning("key %r %s", key, key)
    shown = [repr(key), str(key), repr(key.verify_key), f"{key.verify_key}", caplog.text]
    assert [] == [text for text in shown if SECRET[:8] in text]
    assert {"keys": []} == key.jwks


def test_a_private_key_is_in_no_representation(tmp_path: Path) -> None:
    """Not even the object of the private key is shown."""
    assert "Private" not in repr(load_signing_key(tmp_path))
