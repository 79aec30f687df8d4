"""What routes have in common: ids in paths, and the error answers that the API's description lists."""

from typing import Annotated, Any

from fastapi import Path

LARGEST = 2**63 - 1

OrgId = Annotated[int, Path(ge=-LARGEST - 1, le=LARGEST, description="The organization that the token belongs to.")]
RunId = Annotated[int, Path(ge=-LARGEST - 1, le=LARGEST, description="The run.")]
AnyId = Annotated[int, Path(ge=-LARGEST - 1, le=LARGEST)]

_MEANINGS = {
    400: "The Host header is not a name of this server.",
    401: "The token is missing, unknown or revoked.",
    403: "The token's role does not allow this, or the page's origin may not call.",
    404: "There is no such thing in this organization.",
    409: "The thing is in a state that does not allow this.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A value in the request cannot be used; `detail` lists which.",
    429: "The request limit of the token is reached; `Retry-After` says when to try again.",
    500: "The server failed; its log has the reason under `request_id`.",
    501: "This server cannot do this: it has no meaning on one's own machine.",
    503: "The store cannot be used now; nothing was written.",
}
# A reference instead of the model itself: FastAPI would build 400 validators for answers that it never validates.
_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ALWAYS = (400, 401, 403, 404, 422, 429, 500, 503)
_WITH_BODY = (413, 415)


def problems(*statuses: int, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route: those that any route has, those of a route with a body, and its own."""
    listed = {*_ALWAYS, *(_WITH_BODY if body else ()), *statuses}
    return {status: {"description": _MEANINGS[status], "content": _PROBLEM} for status in sorted(listed)}
