"""The examples of docs/auth.md do what the page says they do."""

import json
import re
from pathlib import Path

import jwt
import pytest

from auth.issuers import parse_issuers
from auth.keys import SigningKey, secret_key
from auth.tokens import TokenVerifier
from core.clock import to_ms
from tests.unit.auth.fakes import START, FakeClock, FakeWeb, IssuerKey

GUIDE = (Path(__file__).parents[3] / "docs" / "auth.md").read_text(encoding="utf-8")
NOW = to_ms(START) // 1000
EXAMPLES = re.findall(
    r"^### (.+?)\n.*?```json issuer\n(.+?)```.*?```json claims\n(.+?)```\n\nThis is (.+?), an? (\w+)\.",
    GUIDE,
    re.S | re.M,
)


def test_every_provider_has_an_example() -> None:
    """The pattern above finds all sections, so none goes untested."""
    assert ["Amazon Cognito", "Clerk", "Auth0", "A plain role claim"] == [example[0] for example in EXAMPLES]


@pytest.mark.parametrize(("title", "setting", "claims", "name", "role"), EXAMPLES)
async def test_an_example_makes_the_person_it_says(
    local_key: SigningKey, rsa_key: IssuerKey, title: str, setting: str, claims: str, name: str, role: str
) -> None:
    """The setting parses, and a token with these claims is accepted as that person with that role."""
    (issuer,) = parse_issuers(setting)
    web = FakeWeb({issuer.jwks_url: {"keys": [rsa_key.jwk()]}})
    token = rsa_key.sign({"iss": issuer.issuer, "iat": NOW, "exp": NOW + 60, **json.loads(claims)})
    principal = await TokenVerifier(local_key, [issuer], web.fetch, FakeClock()).verify(token)
    assert (name, role) == (principal.name, str(principal.role))


async def test_a_backend_can_sign_as_shown() -> None:
    """The lines for PyJWT make a token that is accepted."""
    (code,) = re.findall(r"```python\n(.+?)```", GUIDE, re.S)
    names: dict[str, str] = {"secret": "correct horse battery staple, and then some"}
    exec(code, names)  # noqa: S102 - our own documentation
    issued_at = jwt.decode(names["token"], options={"verify_signature": False})["iat"]
    clock = FakeClock(START.fromtimestamp(issued_at, START.tzinfo))
    principal = await TokenVerifier(secret_key(names["secret"]), (), FakeWeb().fetch, clock).verify(names["token"])
    assert ("ada", "Ada", "student") == (principal.user_id, principal.name, str(principal.role))
