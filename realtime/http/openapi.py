"""OpenAPI 3.1 of the HTTP API, generated from the table of routes. Print it: `python -m realtime.http.openapi`."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from auth.policy import may_in_school
from auth.types import Role
from core.errors import ERRORS, ErrorCode
from realtime.http import problems
from realtime.http.examples import example, without_null
from realtime.http.idempotency import HEADER
from realtime.http.models import Problem
from realtime.http.route import Route
from realtime.http.routes import ROUTES

Document = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_DESCRIPTION: Final = (
    "The API of Homeroom, the real-time chat server of online schools. Send an access token, or a service key, as "
    "`Authorization: Bearer …`. Errors are RFC 9457 problems with stable codes. Optional values that are not there are "
    "left out. Lists are paged by an opaque `cursor`. Live events travel over Socket.IO: see the AsyncAPI document."
)
_TAGS: Final = {
    "auth": "Sign-ins: short access tokens, and refresh tokens that work once.",
    "users": "The people of the school.",
    "rooms": "Where people talk.",
    "messages": "What they say.",
    "members": "Who is in a room, as what.",
    "operations": "For those who run the server.",
}
_SECURITY: Final[Mapping[str, list[dict[str, list[str]]]]] = {
    "none": [],
    "optional": [{}, {"bearer": []}],
    "required": [{"bearer": []}],
}


def openapi(routes: Sequence[Route], version: str) -> Document:
    """Return the OpenAPI document."""
    schemas = _schemas(routes)
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homeroom",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A user's access token (JWT), or a service key (`hrk_…`) of the school's backend.",
                }
            },
        },
    }


def codes_of(route: Route) -> list[ErrorCode]:
    """Return every code that a route can answer with."""
    named = ("{" in route.path) or route.query is not None or route.body is not None
    codes = [
        *([ErrorCode.REQUEST_INVALID] if named else []),
        *([ErrorCode.REQUEST_TOO_LARGE] if route.body is not None else []),
        *([ErrorCode.AUTH_MISSING_TOKEN] if route.auth == "required" else []),
        *([ErrorCode.AUTH_INVALID_TOKEN, ErrorCode.AUTH_EXPIRED_TOKEN] if route.auth != "none" else []),
        *([ErrorCode.AUTH_FORBIDDEN] if route.action else []),
        *route.errors,
        *([ErrorCode.REQUEST_CONFLICT] if route.idempotent else []),
        *([ErrorCode.RATE_LIMITED, ErrorCode.SERVER_UNAVAILABLE] if route.counted else []),
        ErrorCode.SERVER_INTERNAL,
    ]
    return list(dict.fromkeys(codes))


def roles_of(route: Route) -> list[Role]:
    """Return the roles that may call a route, or none if all may."""
    return [role for role in Role if may_in_school(role, route.action)] if route.action else []


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    models: list[Any] = [Problem]
    definitions: dict[str, Any] = {}
    for route in routes:
        models += [model for model in (route.body, route.response) if _is_model(model)]
        if route.body is not None and not _is_model(route.body):
            definitions |= route.body_adapter.json_schema(ref_template=_REF).get("$defs", {})
    _, schema = models_json_schema([(model, "validation") for model in dict.fromkeys(models)], ref_template=_REF)
    return {name: _tidy(value) for name, value in sorted((definitions | schema["$defs"]).items())}


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {name: dict(without_null(value)) for name, value in schema.get("properties", {}).items()}
    return {**schema, "properties": properties} if properties else schema


def _operation(route: Route, schemas: dict[str, Any]) -> Document:
    operation: Document = {
        "operationId": f"{route.tag}.{route.handler.__name__.strip('_')}",
        "tags": [route.tag],
        "summary": route.summary,
        "security": _SECURITY[route.auth],
        "parameters": _parameters(route),
        "responses": {**_success(route, schemas), **_refusals(route)},
    }
    if roles := roles_of(route):
        operation["description"] = f"For the roles {', '.join(roles)}."
        operation["x-roles"] = [str(role) for role in roles]
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(_body_schema(route), schemas)}
    return operation


def _parameters(route: Route) -> list[Document]:
    out = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 128}}
        for name in _PARAMETER.findall(route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema()
        out += [_query_parameter(name, value) for name, value in schema["properties"].items()]
    if route.idempotent:
        out.append(
            {
                "name": HEADER,
                "in": "header",
                "description": "The same key again within 24 hours gets the first answer, and nothing is done twice.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
            }
        )
    return out


def _query_parameter(name: str, schema: dict[str, Any]) -> Document:
    plain = {key: value for key, value in without_null(schema).items() if key not in ("title", "description")}
    out: Document = {"name": name, "in": "query", "schema": plain}
    return {**out, "description": schema["description"]} if "description" in schema else out


def _content(schema: dict[str, Any], schemas: dict[str, Any]) -> Document:
    return {"application/json": {"schema": schema, "example": example(schema, schemas)}}


def _body_schema(route: Route) -> dict[str, Any]:
    if _is_model(route.body):
        return {"$ref": _REF.format(model=route.body.__name__)}
    schema = route.body_adapter.json_schema(ref_template=_REF)
    return {key: value for key, value in schema.items() if key != "$defs"}


def _success(route: Route, schemas: dict[str, Any]) -> Document:
    phrase = HTTPStatus(route.status).phrase
    if route.response is not None:
        content = _content({"$ref": _REF.format(model=route.response.__name__)}, schemas)
        description = (route.response.__doc__ or phrase).strip().splitlines()[0]
        return {str(route.status): {"description": description, "content": content}}
    if route.status == HTTPStatus.NO_CONTENT:
        return {str(route.status): {"description": "Done."}}
    schema = {"type": "object"} if route.media == "application/json" else {"type": "string"}
    return {str(route.status): {"description": route.summary, "content": {route.media: {"schema": schema}}}}


def _refusals(route: Route) -> Document:
    out: Document = {}
    codes = sorted(codes_of(route), key=lambda code: ERRORS[code].status)
    for status, group in groupby(codes, key=lambda code: ERRORS[code].status):
        same = list(group)
        out[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in same),
            "content": {
                problems.MEDIA: {
                    "schema": {"$ref": _REF.format(model="Problem")},
                    "examples": {str(code): {"value": _problem(code)} for code in same},
                }
            },
        }
    return out


def _problem(code: ErrorCode) -> Document:
    spec = ERRORS[code]
    return {
        "type": f"/docs#error-{code}",
        "title": spec.message,
        "status": spec.status,
        "detail": spec.message,
        "code": str(code),
        "retryable": spec.retryable,
    }


def main() -> None:
    """Print the document, indented, with a final newline."""
    document = openapi(ROUTES, "1")
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n")


if __name__ == "__main__":
    main()
