"""What HTTP routes share: forms and JSON of limited size, and one clear sentence for what goes wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive

from webui.api.origin import same_origin
from webui.errors import EngineError, ModelError, UserError

log = logging.getLogger(__name__)

MAX_FIELDS = 16
MAX_FIELD_BYTES = 16 * 1024
_STATUS = {
    "internal": 500,
    "take_gone": 404,
    "take_empty": 409,
    "voice_missing": 404,
    "voices_full": 409,
    "voices_busy": 409,
}

Answer = Callable[[Request], Awaitable[Response]]


class RequestError(UserError):
    """The request itself is wrong; ``status`` is the HTTP status, ``param`` the field at fault."""

    def __init__(self, key: str, message: str, param: str | None = None, status: int = 400, **values: object) -> None:
        super().__init__(key, message, **values)
        self.param = param
        self.status = status


def refused(error: UserError) -> Response:
    """Why not, in the form that the page says in its own language."""
    if isinstance(error, RequestError):
        status = error.status
    else:
        status = _STATUS.get(error.key) or {ModelError: 503, EngineError: 409}.get(type(error), 400)
    detail = {"key": error.key, "message": error.message, "values": error.values}
    return JSONResponse({"error": detail}, status, {"Retry-After": "5"} if status == 429 else None)


def internal() -> UserError:
    """What is told of a bug."""
    return UserError("internal", "Something went wrong on our side. Try again; the log has the details.")


def guarded(answer: Answer, refusal: Callable[[UserError], Response] = refused) -> Answer:
    """``answer`` for our own page and for programs; what goes wrong in it is answered, too, by ``refusal``."""

    async def guarded_answer(request: Request) -> Response:
        try:
            if not same_origin(request):
                raise RequestError("foreign_page", "A page of another site may not use this server.", status=403)
            return await answer(request)
        except UserError as error:
            return refusal(error)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception:
            log.exception("unexpected failure")
            return refusal(internal())

    return guarded_answer


async def form_of(request: Request, most: int) -> FormData:
    """The multipart form of at most ``most`` bytes, its file on disk where it is large. Raises ``RequestError``."""
    limited = Request(request.scope, _at_most(request.receive, most))
    try:
        return await limited.form(max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    except (HTTPException, MultiPartException) as error:
        raise RequestError(
            "form_broken", "The request is not a multipart form with one file and short fields."
        ) from error


def file_of(form: FormData) -> UploadFile:
    """The form's file. Raises ``RequestError``."""
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise RequestError("file_missing", "Send the recording as the form's field file.", "file")
    return upload


async def json_of(request: Request, most: int) -> dict[str, Any]:
    """The JSON object in the body, of at most ``most`` bytes. Raises ``RequestError``."""
    limited = Request(request.scope, _at_most(request.receive, most))
    try:
        told = json.loads(await limited.body())
    except (ValueError, RecursionError) as error:
        raise _malformed() from error
    if not isinstance(told, dict):
        raise _malformed()
    return told


def _malformed() -> RequestError:
    return RequestError("malformed_event", "That message is not of the form that is expected.")


def _at_most(receive: Receive, most: int) -> Receive:
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            megabytes = max(1, most // 1024**2)
            raise RequestError(
                "upload_too_large", f"Send at most {megabytes} MB at once.", "file", 413, megabytes=megabytes
            )
        return message

    return counted
