"""A small hub: it speaks those addresses of the Hugging Face hub that its client asks for, and keeps what it gets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_invented"
NOTHING = "0" * 40


@dataclass
class Hub:
    """What reached it, and what it has. `refuses` is the status that every request gets instead of an answer; `breaks`
    is after how many bytes a file breaks off, so many `times`; while it is `dead`, every connection breaks off; `pause`
    is what it waits after each 64 KB; `gated` are datasets it gives to nobody."""

    address: str = ""
    refuses: int = 0
    breaks: int = 0
    times: int = 0
    ranges: bool = True
    dead: bool = False
    pause: float = 0
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # of the last commit
    commits: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)  # dataset → commit → files
    gated: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, and the range where one was asked for

    def put(self, name: str, files: dict[str, bytes]) -> str:
        """A dataset's next commit, of these files alone."""
        told = hashlib.sha1(repr((name, sorted(files.items()))).encode(), usedforsecurity=False).hexdigest()
        self.commits.setdefault(name, {})[told] = files
        return told

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, str], dict[str, Any] | bytes]:
        if self.refuses:
            return self.refuses, {}, {"error": f"no, says {TOKEN}"}
        path = unquote(urlsplit(path).path)
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return 200, {}, {"url": f"{self.address}/datasets/lab/errands", "id": "lab/errands"}
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            return (
                200,
                {},
                {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in asked]},
            )
        if found := re.fullmatch("/api/datasets/(.+)/commit/.+", path):
            return 200, {}, self._commit(found[1], body)
        if found := re.fullmatch("/api/datasets/(.+)/refs", path):
            return (
                200,
                {},
                {
                    "branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": NOTHING}],
                    "converts": [],
                    "tags": [],
                },
            )
        if found := re.fullmatch("/api/datasets/(.+?)(?:/revision/(.+))?", path):
            return self._told(found[1], found[2] or "main")
        if found := re.fullmatch("/datasets/(.+?)/resolve/([^/]+)/(.+)", path):
            return self._file(*found.groups())
        return 200, {}, {"sha": NOTHING, "id": "lab/errands", "errors": [], "warnings": [], "siblings": []}

    def _commit(self, name: str, body: bytes) -> dict[str, Any]:
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        told = self.put(name, dict(self.files))
        return {"commitUrl": f"{self.address}/datasets/{name}/commit/{told}", "commitOid": told, "success": True}

    def _told(self, name: str, revision: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        if name not in self.commits:
            return 401, {"X-Error-Code": "RepoNotFound"}, {"error": "Repository Not Found"}
        found = self._files(name, revision)
        if found is None:
            return 404, {"X-Error-Code": "RevisionNotFound"}, {"error": f"Invalid rev id: {revision}"}
        commit, files = found
        siblings = [{"rfilename": path, "size": len(text)} for path, text in files.items()]
        card = re.match(rb"---\n(.*?)\n---\n", files.get("README.md", b""), re.DOTALL)
        return (
            200,
            {},
            {
                "id": name,
                "sha": commit,
                "siblings": siblings,
                "cardData": yaml.safe_load(card[1]) if card else None,
            },
        )

    def _file(self, name: str, revision: str, path: str) -> tuple[int, dict[str, str], dict[str, Any] | bytes]:
        if name in self.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, {"error": "Access to this dataset is restricted"}
        found = self._files(name, revision)
        if found is None or path not in found[1]:
            return 404, {"X-Error-Code": "EntryNotFound"}, {"error": "Entry not found"}
        return 200, {}, found[1][path]

    def _files(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        known = self.commits.get(name, {})
        revision = list(known)[-1] if revision == "main" and known else revision
        return (revision, known[revision]) if revision in known else None


@contextmanager
def serving() -> Iterator[Hub]:
    found = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if found.dead:
                self.close_connection = True
                return
            found.tokens.add(self.headers.get("Authorization", ""))
            found.asked.append((self.path, self.headers.get("Range", "")))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, heads, answer = found.answer(self.path, body)
            said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            if (
                found.ranges
                and isinstance(answer, bytes)
                and (begun := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")))
            ):
                at, whole = int(begun[1]), len(said)
                said, status = said[at:], 206
                heads = {"Content-Range": f"bytes {at}-{whole - 1}/{whole}"}
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(said)), **heads}.items():
                self.send_header(name, value)
            self.end_headers()
            if isinstance(answer, bytes) and found.times > 0 and len(said) > found.breaks:
                found.times -= 1
                said = said[: found.breaks]
                self.close_connection = True
            for at in range(0, len(said), 2**16):
                if found.dead:
                    self.close_connection = True
                    return
                self.wfile.write(said[at : at + 2**16])
                time.sleep(found.pause)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.address = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()
