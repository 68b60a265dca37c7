"""Whose page it is that asks."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from webui.config import Settings


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the page that asks is ours: any site a person visits may try to reach their localhost.

    Programs send no origin. Behind a proxy the public name stands in the forwarded header.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    ours = {connection.headers.get("host"), connection.headers.get("x-forwarded-host")}
    return urlsplit(origin).netloc in ours


def at_home(settings: Settings, connection: HTTPConnection) -> bool:
    """Whether who asks sits at the machine itself: no other machine can, no public link and no proxy leads to it.

    Another site can have its own name lead here, too; that name is then what was asked for, and no loopback address.
    """
    asked = connection.url.hostname or ""
    return _is_loopback(settings.host) and not settings.share and _is_loopback(asked)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
