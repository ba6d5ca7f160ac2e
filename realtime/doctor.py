"""`homeroom doctor`: what is wrong with this installation, in words."""

import os
from dataclasses import dataclass
from typing import Literal

from auth.errors import SettingRefused
from auth.issuers import Issuer, parse_issuers
from realtime.app import signing_key
from realtime.config import Settings
from realtime.fetch import JsonFetcher
from realtime.http.app import WEB_DIR
from realtime.lifecycle import StartRefused, check, prepare_data_dir, store_path
from realtime.listening import bind, close_all
from realtime.process import COMFORTABLE_OPEN_FILES, raise_open_files
from storage.errors import StoreError
from storage.sqlite.schema import migrate


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warn", "bad"]
    text: str


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything a start needs; never raises."""
    findings = [_settings(settings), _data_dir(settings)]
    if findings[-1].level != "bad":
        findings += [_store(settings), _key(settings)]
    findings += [await _port(settings), _web(settings), _files(), *await _issuers(settings), _exposure(settings)]
    return findings


def _settings(settings: Settings) -> Finding:
    try:
        check(settings)
    except StartRefused as exc:
        return Finding("bad", str(exc))
    return Finding("ok", "The settings can be read.")


def _data_dir(settings: Settings) -> Finding:
    try:
        prepare_data_dir(settings)
    except StartRefused as exc:
        return Finding("bad", str(exc))
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        return Finding("bad", f"The data directory {settings.data_dir} cannot be written.")
    return Finding("ok", f"The data directory {settings.data_dir} can be written.")


def _store(settings: Settings) -> Finding:
    try:
        path = store_path(settings)
        applied = migrate(path)
    except (StartRefused, StoreError) as exc:
        return Finding("bad", str(exc))
    done = f" ({len(applied)} migrations applied)" if applied else ""
    return Finding("ok", f"The database {path} is at this version's schema{done}.")


def _key(settings: Settings) -> Finding:
    try:
        key = signing_key(settings)
    except SettingRefused as exc:
        return Finding("bad", str(exc))
    where = "HOMEROOM_JWT_SECRET" if settings.jwt_secret else f"the key in {settings.data_dir / 'keys'}"
    return Finding("ok", f"Tokens are signed with {where} ({key.alg}).")


async def _port(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    try:
        close_all(await bind(settings.host, settings.port))
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "that is no host name"
        return Finding("warn", f"Cannot listen on {where} now: {reason}.")
    return Finding("ok", f"{where} is free.")


def _web(settings: Settings) -> Finding:
    found = settings.web_dir or WEB_DIR
    if not (found / "index.html").exists():
        return Finding("warn", "The web app is not built: `make web` builds it. The API works without it.")
    return Finding("ok", f"The web app is in {found}.")


def _files() -> Finding:
    files = raise_open_files()  # as a start does
    if files is None:
        return Finding("ok", "This system has no limit on open files that we could read.")
    if files < COMFORTABLE_OPEN_FILES:
        text = f"Only {files} files may be open, and may not be raised by us: each connection is one. Use `ulimit -n`."
        return Finding("warn", text)
    return Finding("ok", f"{files} files may be open at once.")


async def _issuers(settings: Settings) -> list[Finding]:
    if not settings.jwt_issuers:
        return [Finding("ok", "No outside issuer is trusted: only tokens made here are accepted.")]
    try:
        issuers = parse_issuers(settings.jwt_issuers)
    except SettingRefused as exc:
        return [Finding("bad", str(exc))]
    fetch = JsonFetcher()
    try:
        return [await _issuer(issuer, fetch) for issuer in issuers]
    finally:
        await fetch.close()


async def _issuer(issuer: Issuer, fetch: JsonFetcher) -> Finding:
    try:
        await fetch(issuer.jwks_url)
    except Exception as exc:  # whatever it is, the operator should read it
        return Finding("bad", f"The keys of {issuer.issuer} cannot be fetched from {issuer.jwks_url}: {exc}.")
    audience = "" if issuer.audience else " It has no audience: tokens for any app of this issuer are accepted."
    level: Literal["ok", "warn"] = "ok" if issuer.audience else "warn"
    return Finding(level, f"The keys of {issuer.issuer} can be fetched.{audience}")


def _exposure(settings: Settings) -> Finding:
    if settings.host not in {"127.0.0.1", "localhost", "::1"} and not settings.public_url:
        return Finding("warn", "HOMEROOM_PUBLIC_URL is not set: links will name this machine's own address.")
    return Finding("ok", f"People reach the server at {settings.public_url or 'its own address'}.")
