"""Pages by key set: the primary key is the cursor, so a page costs the same wherever it lies."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from annotations.api.errors import Refused

BIGGEST = 1000


class ByKey(CursorPagination):
    """`results` with links `next` and `previous`. Oldest first; `page_size` up to 1000."""

    ordering = "pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = BIGGEST

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size", str(self.page_size))
        if not (asked.isascii() and asked.isdigit() and len(asked) < 5 and 1 <= int(asked) <= BIGGEST):
            raise Refused(f"{asked!r} is no page size.", "page_size", {"min": 1, "max": BIGGEST})
        return int(asked)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as exc:
            raise Refused("This cursor is none of ours.", "cursor", "a link of `next` or `previous`") from exc
        if cursor and cursor.position is not None and not self._is_key(cursor.position):
            raise Refused("This cursor is none of ours.", "cursor", "a link of `next` or `previous`")
        return cursor

    @staticmethod
    def _is_key(position: object) -> bool:
        return isinstance(position, str) and position.isascii() and position.isdigit() and len(position) < 19

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for one in parameters:
            if one["name"] == self.page_size_query_param:
                one["schema"] |= {"minimum": 1, "maximum": BIGGEST, "default": self.page_size}
        return parameters


class NewestFirst(ByKey):
    ordering = "-pk"
