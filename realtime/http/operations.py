"""For those who run the server: is it alive, does it serve, what does it do; and its reference."""

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from core.errors import ErrorCode, HomeroomError
from realtime.http.problems import problem
from realtime.http.route import Call, Json


async def healthz(_: Call[None, None]) -> Json:
    """Say that the process runs."""
    return {"status": "ok"}


async def readyz(call: Call[None, None]) -> Json | web.Response:
    """Say whether traffic is welcome, and if not, why."""
    reasons = await call.edge.readiness()
    if not reasons:
        return {"status": "ready"}
    refusal = HomeroomError(ErrorCode.SERVER_UNAVAILABLE, f"Not ready: {'; '.join(reasons)}.")
    return problem(refusal, reasons=reasons)


async def metrics(call: Call[None, None]) -> web.Response:
    """Return all metrics in Prometheus' text format."""
    headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
    return web.Response(body=generate_latest(call.edge.registry), headers=headers)


async def docs(call: Call[None, None]) -> web.Response:
    """Return the reference as a page for people."""
    documents = call.edge.documents()
    response = _document(documents.page, "text/html")
    response.headers["Content-Security-Policy"] = documents.page_policy
    return response


async def openapi(call: Call[None, None]) -> web.Response:
    """Return the OpenAPI document of this API."""
    return _document(call.edge.documents().openapi, "application/json")


async def asyncapi(call: Call[None, None]) -> web.Response:
    """Return the AsyncAPI document of the socket contract."""
    return _document(call.edge.documents().asyncapi, "application/json")


def _document(body: bytes, media: str) -> web.Response:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    response = web.Response(body=body, content_type=media, charset="utf-8", headers=headers)
    response.enable_compression()
    return response
