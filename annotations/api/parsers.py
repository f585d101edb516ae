"""Reading bodies. What no database text can hold is refused at the door."""

from __future__ import annotations

import json
import re
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

ESCAPED = re.compile(r"\\u(0000|d[89a-f])", re.IGNORECASE)


class StrictJSON(JSONParser):
    """JSON without NaN, without U+0000 and lone surrogates, and not nested beyond all measure."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            text = stream.read().decode()
            data = json.loads(text, parse_constant=_refuse)
            if ESCAPED.search(text):
                _check(data)
        except RecursionError as exc:
            raise ParseError("The JSON is nested too deep.") from exc
        except ValueError as exc:
            raise ParseError(f"This is no JSON we take: {exc}") from exc
        return data


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _check(data: Any) -> None:
    """Raises ValueError (UnicodeEncodeError is one) where a text cannot be stored."""
    text = json.dumps(data, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("a text holds U+0000")
