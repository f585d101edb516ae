"""Reading bodies. What no database text can hold is refused at the door."""

from __future__ import annotations

from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from annotations.formats import lines


class StrictJSON(JSONParser):
    """JSON as a line of a file may be: no NaN, no nesting beyond lines.DEEPEST. What an import would make visible,
    U+0000 and lone surrogates and bytes that are no UTF-8, is refused here."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        line = lines.parse(1, stream.read())
        if line.reason:
            raise ParseError(f"This is no JSON we take: {line.reason}.")
        if line.replaced:
            raise ParseError("This is no JSON we take: a text holds U+0000, a lone surrogate or bytes beside UTF-8.")
        return line.value
