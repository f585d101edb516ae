"""The parts of a message: texts, thoughts, calls, results and pictures, as the makers of models spell them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from annotations.formats.lines import dump
from annotations.formats.loose import listed
from annotations.formats.turns import call, member, words
from annotations.records import Json

CALLS = ("tool_call", "tool_use", "server_tool_call", "function_call", "tool-call")
RESULTS = ("tool_call_response", "tool_result", "server_tool_call_response", "function_response", "tool-result")
THOUGHTS = ("reasoning", "thinking", "thought")
TEXTS = ("text", "input_text", "output_text", "refusal")
PICTURES = ("image", "image_url", "input_image", "output_image")


@dataclass
class Told:
    """`kept` are parts that are shown nowhere, as found."""

    content: Json = ""
    reasoning: str = ""
    calls: list[Json] = field(default_factory=list)
    results: list[dict[str, Json]] = field(default_factory=list)
    kept: list[Json] = field(default_factory=list)


def text(value: Json) -> str:
    """A result as a text: itself, or its JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(words(one, "text") for one in value):
        return "\n".join(words(one, "text") for one in value)
    return "" if value is None else dump(value)


def call_of(value: Json) -> Json:
    """A call as OpenAI chat writes it, whoever wrote it; what is none, as found."""
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("tool_call"), dict):
        value = value["tool_call"]
    inner = value.get("function")
    said: dict[str, Any] = inner if isinstance(inner, dict) else value
    name = (
        said.get("name") or said.get("tool_name") or said.get("toolName") or (inner if isinstance(inner, str) else "")
    )
    keys = ("arguments", "args", "input", "parameters")
    arguments = next((said[key] for key in keys if said.get(key) is not None), "{}")
    call_id = value.get("id") or value.get("tool_call_id") or value.get("toolCallId") or ""
    return call(name, arguments if isinstance(arguments, str) else dump(arguments), call_id)


def of_parts(body: Json) -> Told:
    """What a message's body says: a text, one part, or a list of them."""
    told = Told()
    if isinstance(body, str):
        told.content = body
        return told
    if isinstance(body, dict) and "parts" in body:
        body = body["parts"]
    shown: list[Json] = []
    for part in body if isinstance(body, list) else [body]:
        _part(part, told, shown)
    if all(words(one, "type") == "text" for one in shown):
        told.content = "\n".join(one["text"] for one in shown)
    else:
        told.content = shown
    return told


def _part(part: Json, told: Told, shown: list[Json]) -> None:
    if isinstance(part, str):
        shown.append({"type": "text", "text": part})
        return
    if not isinstance(part, dict):
        shown.append({"type": "text", "text": dump(part)})
        return
    part = _flat(part)
    kind = part.get("type")
    if kind in CALLS or any(isinstance(part.get(key), dict) for key in ("functionCall", "function_call")):
        told.calls.append(call_of(part.get("functionCall") or part.get("function_call") or part))
    elif kind in RESULTS or any(isinstance(part.get(key), dict) for key in ("functionResponse", "function_response")):
        told.results.append(_result(part))
    elif kind in THOUGHTS or part.get("thought") is True:
        thought = words(part, "content") or words(part, "thinking") or words(part, "text")
        told.reasoning = "\n".join(filter(None, (told.reasoning, thought)))
        if part.get("signature"):
            told.kept.append(part)
    elif (picture := _picture(part)) is not None:
        shown.append(picture)
    elif isinstance(said := part.get("text", part.get("content")), str) and (kind in TEXTS or kind is None):
        shown.append({"type": "text", "text": said})
    else:
        told.kept.append(part)


def _flat(part: dict[str, Any]) -> dict[str, Any]:
    """A part as OpenInference nests it."""
    inner = part.get("message_content")
    return inner if isinstance(inner, dict) else part


def _result(part: dict[str, Any]) -> dict[str, Json]:
    inner = part.get("functionResponse") or part.get("function_response") or part
    inner = inner if isinstance(inner, dict) else part
    keys = ("response", "result", "content", "output")
    value = next((inner[key] for key in keys if inner.get(key) is not None), "")
    names = ("id", "tool_use_id", "tool_call_id", "toolCallId")
    call_id = next((inner[key] for key in names if isinstance(inner.get(key), str)), "")
    name = words(inner, "name") or words(inner, "toolName")
    result: dict[str, Json] = {"role": "tool", "content": text(value)}
    return result | ({"tool_call_id": call_id} if call_id else {}) | ({"name": name} if name else {})


def _picture(part: dict[str, Any]) -> Json:
    """A picture as OpenAI chat holds it; other pictures of kinds we show, as found; None for what is none."""
    kind, media = part.get("type"), words(part, "mime_type") or words(part, "mimeType")
    if kind == "blob" and media.startswith("image/"):
        return _image(f"data:{media};base64,{text(part.get('content', part.get('data')))}")
    if kind == "uri" and (part.get("modality") == "image" or media.startswith("image/")):
        return _image(words(part, "uri"))
    data = member(part, "inline_data") or member(part, "inlineData")
    if words(data, "data"):
        return _image(f"data:{words(data, 'mime_type') or words(data, 'mimeType')};base64,{words(data, 'data')}")
    nested = member(part, "image")
    if kind == "image" and (url := words(nested, "url") or words(member(nested, "image"), "url")):
        return _image(url)
    return part if kind in PICTURES else None


def _image(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def definitions(value: Json) -> list[Json]:
    """Tools as OpenAI chat offers them, whoever wrote them."""
    return [_definition(one) for one in listed(value)]


def _definition(one: Json) -> Json:
    if not isinstance(one, dict) or isinstance(one.get("function"), dict) or "name" not in one:
        return one
    parameters = one.get("parameters") or one.get("input_schema") or one.get("inputSchema")
    said = {"name": one["name"], "description": one.get("description"), "parameters": parameters}
    return {"type": "function", "function": {key: value for key, value in said.items() if value is not None}}
