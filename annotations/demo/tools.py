"""The sample agent's tools. Each really executes; a wrong call gets the tool's own error back."""

from __future__ import annotations

import ast
import json
import operator
import re
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from annotations.demo.world import DOCUMENTS, FILES, ROOMS, SHOP

OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
TO_METRE = {"m": 1.0, "km": 1000.0, "nmi": 1852.0, "mi": 1609.344, "ft": 0.3048}
TO_GRAM = {"g": 1.0, "kg": 1000.0, "oz": 28.349523125, "lb": 453.59237}


class ToolError(Exception):
    """What the tool says when it cannot do what it was asked."""


class Tools:
    """One rollout's tools with their state (bookings, the shop's tables)."""

    def __init__(self) -> None:
        self.shop = sqlite3.connect(":memory:")
        self.shop.executescript(SHOP)
        self.bookings: dict[tuple[str, str, str], str] = {}

    def call(self, name: str, arguments: str) -> tuple[str, bool]:
        """Run a tool on arguments as the agent wrote them. Returns what it said and whether it worked."""
        tool = getattr(self, f"_{name}", None)
        try:
            if tool is None:
                raise ToolError(f"unknown tool {name!r}")
            return json.dumps(tool(**json.loads(arguments)), ensure_ascii=False), True
        except (ToolError, TypeError, ValueError, KeyError, sqlite3.Error, ZeroDivisionError) as exc:
            return json.dumps({"error": f"{type(exc).__name__}: {exc}"}, ensure_ascii=False), False

    def _calculator(self, expression: str) -> dict[str, Any]:
        return {"result": round(_value(ast.parse(expression, mode="eval").body), 6)}

    def _sql(self, query: str) -> dict[str, Any]:
        if not query.lstrip().lower().startswith("select"):
            raise ToolError("only SELECT is allowed")
        cursor = self.shop.execute(query)
        return {"columns": [column[0] for column in cursor.description], "rows": cursor.fetchall()}

    def _search(self, query: str, top: int = 2) -> dict[str, Any]:
        words = _words(query)
        ranked = sorted(DOCUMENTS, key=lambda doc: -len(words & _words(doc["title"] + " " + doc["text"])))
        return {"results": ranked[:top]}

    def _convert(self, value: float, unit: str, to: str) -> dict[str, Any]:
        for table in (TO_METRE, TO_GRAM):
            if unit in table and to in table:
                return {"value": round(float(value) * table[unit] / table[to], 4), "unit": to}
        raise ToolError(f"cannot convert {unit} to {to}")

    def _add_days(self, start: str, days: int) -> dict[str, Any]:
        end = date.fromisoformat(start) + timedelta(days=days)
        return {"date": end.isoformat(), "weekday": end.strftime("%A")}

    def _read_file(self, path: str) -> dict[str, Any]:
        if path not in FILES:
            raise ToolError(f"no such file: {path}; there are {', '.join(sorted(FILES))}")
        return {"path": path, "content": FILES[path]}

    def _list_rooms(self, seats: int = 0) -> dict[str, Any]:
        return {"rooms": [asdict(room) for room in ROOMS if room.seats >= seats]}

    def _book(self, room: str, day: str, hour: str) -> dict[str, Any]:
        known = {one.name: one for one in ROOMS}
        if room not in known:
            raise ToolError(f"no room called {room!r}")
        if f"{day} {hour}" in known[room].taken:
            raise ToolError(f"{room} is taken on {day} at {hour}")
        self.bookings[(room, day, hour)] = "agent"
        return {"booked": room, "day": day, "hour": hour}


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_value(node.operand))
    raise ToolError(f"cannot compute {ast.unparse(node)!r}")


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 2}


def _schema(name: str, description: str, **properties: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": [key for key in properties if key not in {"top", "seats"}],
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


SCHEMAS = {
    schema["function"]["name"]: schema
    for schema in (
        _schema("calculator", "Computes an arithmetic expression.", expression="string"),
        _schema("sql", "Runs one SELECT on the shop: customers, products, orders, staff.", query="string"),
        _schema("search", "Finds the notes of the Larkhaven archive that share words with a query.",
                query="string", top="integer"),
        _schema("convert", "Converts lengths (m, km, nmi, mi, ft) and weights (g, kg, oz, lb).",
                value="number", unit="string", to="string"),
        _schema("add_days", "The date a number of days after a date (YYYY-MM-DD).", start="string", days="integer"),
        _schema("read_file", "Reads a file of the project folder.", path="string"),
        _schema("list_rooms", "Meeting rooms with at least that many seats and when they are taken.", seats="integer"),
        _schema("book", "Books a room for a day and an hour.", room="string", day="string", hour="string"),
    )
}  # fmt: skip
