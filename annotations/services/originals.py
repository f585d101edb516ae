"""What trajectories were made of, kept byte for byte: each content once in a project."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import zstandard

from annotations.models import Original, Project
from annotations.services import copying
from annotations.services.drafts import Draft

ORIGINAL = "id project_id sha256 size content file line"
LEVEL = 3


def keep(project: Project, drafts: Sequence[Draft]) -> dict[int, int]:
    """Keep what the drafts were made of, where it is not kept yet. Returns the rows by the `id` of the bytes: several
    drafts may be made of one document. Needs a transaction that holds copying.lock."""
    found = {id(draft.original): draft for draft in drafts if draft.original}
    sums = {key: hashlib.sha256(draft.original).hexdigest() for key, draft in found.items()}
    rows = Original.objects.filter(project=project, sha256__in=set(sums.values()))
    known: dict[str, int] = dict(rows.values_list("sha256", "pk"))
    new = {sums[key]: draft for key, draft in found.items() if sums[key] not in known}
    packer = zstandard.ZstdCompressor(level=LEVEL)
    ids = copying.reserve(Original, len(new))
    made = [
        (pk, project.pk, digest, len(one.original), packer.compress(one.original), one.file[:400], one.line)
        for pk, (digest, one) in zip(ids, new.items(), strict=True)
    ]
    copying.insert(Original, ORIGINAL, made)
    known |= {row[2]: row[0] for row in made}
    return {key: known[digest] for key, digest in sums.items()}


def content(original: Original) -> bytes:
    return zstandard.ZstdDecompressor().decompress(bytes(original.content), max_output_size=original.size or 1)


def download_name(original: Original, content: bytes) -> str:
    """What the file is called that a record is downloaded as."""
    stem = re.sub(r"[^\w.+-]+", "-", original.file).strip("-.")[-80:] or "record"
    return f"{stem}.{original.line}.{'zip' if content.startswith(b'PK') else 'json'}"
