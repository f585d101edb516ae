"""Import and export of each of the big formats at 10,000 trajectories, beside raw COPY and orjson of the same values.

Run: DATABASE_URL=… python -m bench.formats [trajectories]

What a format writes is exported from one labelled project; what it also reads is then imported from those very files,
each into an empty project. What is only read is invented. The limits are no import and no export: COPY moves the same
values into, or out of, a table with one jsonb column, and orjson reads, or writes, them and nothing else.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import common, imports, invented

if TYPE_CHECKING:
    from annotations.models import Project

SIZE = 10_000
REPEATS = 1
COPY = "COPY of the same values in a table of one jsonb column"
ORJSON = "orjson of the same values"
WRITTEN = (
    *("stepmark", "apb", "openai-chat", "atif", "prm800k", "processbench", "math-shepherd", "trl-stepwise"),
    *("sft", "dpo", "kto", "judge-rows", "label-studio", "turn-rewards", "verl", "parquet"),
)
READ_AGAIN = WRITTEN[:8]
ONLY_READ = ("anthropic", "otlp", "sharegpt", "swe-agent")


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else SIZE
    common.django_up()
    rows: list[common.Row] = []
    with tempfile.TemporaryDirectory(prefix="stepmark-bench-") as name:
        try:
            rows.extend(measured(Path(name), size))
        finally:  # what was measured is kept where one stops it
            common.write(
                "formats",
                rows,
                repeats=f"{REPEATS}, side by side with both limits",
                trajectories=f"{invented.STEPS} steps each, {invented.ROLLOUTS} to a task",
            )


def measured(folder: Path, size: int) -> Iterator[common.Row]:
    from annotations.services import projects

    raw_table()
    project = projects.create(slug="bench")
    source = made(folder, "apb", size)
    imports.taken_in(project, source, created=size)
    analysed()
    for form in WRITTEN:
        yield from exported(project, form, folder / form, size)
        if form not in READ_AGAIN:
            shutil.rmtree(folder / form)
    for form in READ_AGAIN:
        yield from imported(project, form, biggest(folder / form), size)
    for form in ONLY_READ:
        path = made(folder, form, size)
        yield from imported(project, form, path, size)
        path.unlink()


def made(folder: Path, form: str, size: int) -> Path:
    path = folder / f"{form}.jsonl"
    with path.open("wb") as out:
        out.writelines(invented.lines(form, size))
    return path


def exported(project: Project, form: str, out: Path, size: int) -> Iterator[common.Row]:
    from annotations.services import exports

    ours, copy, dumped, rows = [], [], [], 0
    for turn in range(REPEATS):
        found: dict[str, Any] = {}
        ours.append(common.timed(lambda: found.update(exports.export(project, form, out))))  # noqa: B023
        rows = found["rows"]
        path = biggest(out)
        if not turn:
            emptied_raw()
            copied_in(path)
        copy.append(common.timed(lambda: copied_out(out.parent / "raw")))
        dumped.append(sum(map(dumping, batches(path))))
    (out.parent / "raw").unlink()
    yield from told("export", form, size, path, (min(ours), min(copy), min(dumped)), f"{rows:,} rows")


def imported(project: Project, form: str, path: Path, size: int) -> Iterator[common.Row]:
    from annotations.models import Step

    ours, copy, loaded = [], [], []
    for _ in range(REPEATS):
        imports.emptied()
        emptied_raw()
        ours.append(common.timed(lambda: taken_in(project, form, path)))
        copy.append(common.timed(lambda: copied_in(path)))
        loaded.append(common.timed(lambda: loading(path)))
    steps = Step.objects.count()
    yield from told("import", form, size, path, (min(ours), min(copy), min(loaded)), f"{steps:,} step rows")


def told(
    what: str, form: str, size: int, path: Path, times: tuple[float, float, float], note: str
) -> Iterator[common.Row]:
    ours, copy, orjson = times
    megabytes = path.stat().st_size / 1e6
    rates = f"{size / ours:,.0f} trajectories/s, {megabytes / ours:.1f} MB/s of {megabytes:,.0f} MB; {note}"
    print(f"{what} {form}: {rates}", flush=True)
    yield common.beside(f"{what} {form}", size, ours, copy, COPY, note=rates)
    yield common.beside(f"{what} {form}", size, ours, orjson, ORJSON, note=rates)


def taken_in(project: Project, form: str, path: Path) -> None:
    from annotations.services import imports as service

    result = service.import_trajectories(project, [path])
    assert result["created"] and not result["rejected"], (form, result)


def biggest(folder: Path) -> Path:
    """The file with the trajectories, among those of an export."""
    return max((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)


def texts(path: Path) -> Iterator[bytes]:
    """The values of a file as JSON texts; a table's rows too."""
    if path.suffix == ".parquet":
        import orjson
        from pyarrow import parquet

        for batch in parquet.ParquetFile(path).iter_batches(1_000):
            yield from map(orjson.dumps, batch.to_pylist())
    else:
        with path.open("rb") as stream:
            yield from (line.rstrip(b"\n") for line in stream)


def loading(path: Path) -> None:
    import orjson

    for text in texts(path):
        orjson.loads(text)


def batches(path: Path) -> Iterator[list[Any]]:
    """The values themselves, some at a time: all of them would not be a fair use of memory."""
    import orjson

    values = map(orjson.loads, texts(path))
    while some := list(islice(values, 1_000)):
        yield some


def dumping(values: list[Any]) -> float:
    import orjson

    with Path(os.devnull).open("wb") as out:
        return common.timed(lambda: out.writelines(orjson.dumps(value) + b"\n" for value in values))


def raw_table() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_raw (value jsonb NOT NULL)")


def emptied_raw() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bench_raw")
        cursor.execute("CHECKPOINT")


def copied_in(path: Path) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor, cursor.copy("COPY bench_raw FROM STDIN") as copy:
        for text in texts(path):
            copy.write_row((text.decode(),))


def copied_out(path: Path) -> None:
    from django.db import connection, transaction

    statement = "COPY bench_raw TO STDOUT"
    with path.open("wb") as out, transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        out.writelines(copy)


def analysed() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
