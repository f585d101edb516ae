"""A text of a step, for whichever page shows it: as the page has it, in another view, piece by piece, or as a file.

Whoever calls has looked who asks, and hands over the steps that may be read. A text's address answers

    (nothing)            what a page shows of it first; of a long one the first piece
    ?as=written          as it was written, hidden characters marked; ?as=rendered: Markdown, maths and tables drawn
    ?pieces              {"characters", "lines", "at": [[character, line, goes on], …]}: where its pieces begin,
                         in which line, and whether in the middle of it
    ?from=<character>    the piece that begins there
    ?find=<text>[&from=] {"hits": [character, …], "next": character or null}
    ?raw                 the text as it was imported, as a file
"""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from annotations.http import whole
from annotations.models import Step
from annotations.rendering import shown
from annotations.rendering.outline import LONG
from annotations.services import bodies, pictures
from annotations.services.bodies import Body

PAGE = "_shared/text.html"
VIEWS = {"": shown.first, shown.WRITTEN: shown.written, shown.RENDERED: shown.rendered}


def text(request: HttpRequest, steps: QuerySet[Step], index: int, name: str) -> HttpResponse:
    """The answer to a text's address. Raises Http404 where there is no such text among the steps."""
    body = bodies.body(steps, index, name)
    if body is None:
        raise Http404
    return answer(request, body, f"step-{index}-{name}.txt")


def answer(request: HttpRequest, body: Body, name: str) -> HttpResponse:
    """What the address asks of the text. `name` is that of the file it can be had as."""
    asked = request.GET
    if "raw" in asked:
        return _file(body, name)
    if "pieces" in asked:
        return JsonResponse({"characters": len(body.text), "lines": body.lines, "at": body.pieces})
    if (first := _place(asked.get("from", "0"), len(body.text))) is None:
        found = asked["from"][:40]
        return HttpResponseBadRequest(f"from: found {found!r}; accepted is a character from 0 to {len(body.text)}")
    if "find" in asked:
        return JsonResponse(body.find(asked["find"], first)._asdict())
    if "from" in asked or len(body.text) > LONG:
        return _piece(request, body, first)
    view = VIEWS.get(asked.get("as", ""))
    if view is None:
        return HttpResponseBadRequest(f"as: found {asked['as'][:40]!r}; accepted are written and rendered")
    return render(request, PAGE, {"block": {"shown": view(body.text, body.part.kind, body.part.title)}})


def image(request: HttpRequest, steps: QuerySet[Step], index: int, name: str, number: int) -> HttpResponse:
    """A picture of a text, by its number from 1; what is in it is known by its first bytes alone. A browser asks again
    each time whether it may still show it, and is sent the bytes once. Raises Http404."""
    mark = steps.filter(index=index).values_list("pk", "content_hash").first()
    if mark is None:
        raise Http404
    tag = quote_etag(f"{mark[0]}-{mark[1][:16]}-{name}-{number}")
    if (known := get_conditional_response(request, etag=tag)) is not None:
        return known
    media, data = pictures.bytes_of(steps, index, name, number)
    if not media:
        raise Http404
    response = picture(media, data, f"step-{index}-{name}-{number}")
    response["ETag"] = tag
    return response


def picture(media: str, data: bytes, name: str) -> HttpResponse:
    """A picture by itself: nothing in it runs, and no other site shows it."""
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{name}.{media.partition("/")[2]}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(data, content_type=media, headers=headers)


def _place(text: str, length: int) -> int | None:
    at = whole(text)
    return at if at is not None and 0 <= at <= length else None


def _piece(request: HttpRequest, body: Body, first: int) -> HttpResponse:
    links = {"earlier": body.before(first), "later": body.after(first), "size": len(body.text)}
    return render(request, PAGE, {"block": {"shown": shown.cut(body.piece(first))}, "links": links})


def _file(body: Body, name: str) -> HttpResponse:
    # The name in the address is one of the step's parts by now, so it needs no quoting.
    response = HttpResponse(body.text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
