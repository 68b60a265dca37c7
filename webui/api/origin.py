"""Whose page it is that asks."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the page that asks is ours: any site a person visits may try to reach their localhost.

    Programs send no origin. Behind a proxy the public name stands in the forwarded header.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    ours = {connection.headers.get("host"), connection.headers.get("x-forwarded-host")}
    return urlsplit(origin).netloc in ours
