"""The reference as one page, rendered from OpenAPI and AsyncAPI."""

from collections.abc import Sequence

import orjson

from realtime.contract.asyncapi import asyncapi
from realtime.http.openapi import openapi
from realtime.http.route import Documents, Route


def documents(routes: Sequence[Route], version: str) -> Documents:
    """Return the OpenAPI and AsyncAPI documents and the page of both."""
    return Documents(orjson.dumps(openapi(routes, version)), orjson.dumps(asyncapi(version)), b"", "default-src 'none'")
