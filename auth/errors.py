"""Refusals of auth.

    HomeroomError    what a client sees (core.errors); made by the functions below
    SettingRefused   what the operator sees at start: a setting or a key file that cannot be used

No message carries a token, a key, a secret, or a value that came out of a token.
"""

from core.errors import ErrorCode, HomeroomError


class SettingRefused(ValueError):
    """A setting or key file that cannot be used. The message is one readable line without secrets."""


def invalid_token(reason: str) -> HomeroomError:
    """Return an `auth.invalid_token` that ends with `reason`."""
    return HomeroomError(ErrorCode.AUTH_INVALID_TOKEN, f"The token is not valid: {reason}.")


def expired_token() -> HomeroomError:
    """Return an `auth.expired_token`."""
    return HomeroomError(ErrorCode.AUTH_EXPIRED_TOKEN)


def reused_token() -> HomeroomError:
    """Return an `auth.reused_token`."""
    return HomeroomError(ErrorCode.AUTH_REUSED_TOKEN)


def forbidden(message: str) -> HomeroomError:
    """Return an `auth.forbidden`."""
    return HomeroomError(ErrorCode.AUTH_FORBIDDEN, message)


def keys_unavailable(retry_after_s: float) -> HomeroomError:
    """Return the retryable `server.unavailable` of an issuer whose keys cannot be fetched."""
    return HomeroomError(
        ErrorCode.SERVER_UNAVAILABLE,
        "The keys of this token's issuer cannot be fetched right now. Try again.",
        retry_after_ms=max(1, round(retry_after_s * 1000)),
    )
