"""Asking judges beside a bare asyncio client, and what reading step by step sends.

- a line: models_service.judges.line, put and get, beside openai.AsyncOpenAI in as many coroutines, both asking
  the same questions of the same server, which takes half a second over each; and once no time at all, where only the
  work of the client and of the server is left;
- a run: all of it, from rows of trajectories to rows of labels, at four seconds an answer, beside a bare client that
  asks the very questions that the run asked and throws the answers away;
- tokens: what is sent a step where trajectories are read whole and where each step is read with only what came before
  it, and what of that a server reads anew that keeps what it has read, as vLLM does: in blocks of 16 tokens, from the
  beginning, for ever. That server is reckoned here, not run, and a token is taken to be four characters.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import common
from models_service.judges.asked import Answer, Asking, Question, Said

AT_ONCE = 64
SECONDS, LONGER = 0.5, 4.0  # that the server takes over an answer
CALLS = 640
ROUNDS = 3
TRAJECTORIES = 640
CHARACTERS, BLOCK = 4, 16  # a token, and the tokens of a block
AIM = 1.2
PROMPT = "agent-process"
TAU = common.ROOT.parent / "shared" / "data" / "tau_bench"
BARE = "openai.AsyncOpenAI, 64 coroutines"
SCHEMA = {"type": "object", "properties": {"label": {"enum": [1, 0, -1]}}, "required": ["label"]}
Body = dict[str, Any]


def main() -> None:
    common.django_up()
    with server(SECONDS) as url:
        rows = lines(url, CALLS, "a line")
    with server(LONGER) as url:
        rows += run(url)
    with server(0.0) as url:
        rows += lines(url, CALLS, "a line, nothing to wait for", aimed=False)
    common.write("judges", [*rows, *tokens()], seconds=[SECONDS, LONGER], at_once=AT_ONCE, block=BLOCK, rounds=ROUNDS)


# --- a server that takes its time and no more of the processor than it must


@contextmanager
def server(seconds: float) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(seconds, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join()


def serve(seconds: float, told: Any) -> None:
    answers: dict[str, bytes] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(
                    int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
                )
                body = json.loads(await reader.readexactly(size))
                schema = body["response_format"]["json_schema"]["schema"]
                found = answers.setdefault(json.dumps(schema, sort_keys=True), completion(filled(schema)))
                await asyncio.sleep(seconds)
                writer.write(found)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def live() -> None:
        listening = await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**24, backlog=256)
        told.send(listening.sockets[0].getsockname()[1])
        await listening.serve_forever()

    asyncio.run(live())


def completion(content: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": json.dumps(content)}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
    whole = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    data = json.dumps(whole).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


def filled(schema: Any) -> Any:
    """An answer that has the form: the first of whatever may be chosen."""
    from tests.judge_server import filled as fill

    return fill(schema, lambda _, offered: offered[0])


# --- a line beside a bare client


def lines(url: str, calls: int, what: str, *, aimed: bool = True) -> list[common.Row]:
    text = "The agent looked it up and then said what it had found. " * 140
    questions = [
        Question(({"role": "user", "content": text},), schema=SCHEMA, number=number) for number in range(calls)
    ]
    bodies = [body(one) for one in questions]
    ours, theirs = together(lambda: by_line(url, questions), lambda: bare(url, bodies))
    rows = [beside(what, calls, ours, theirs, place, aimed=aimed and place == 0) for place in range(2)]
    return rows if aimed else rows[:1]


def together(ours: Callable[[], None], theirs: Callable[[], None]) -> tuple[list[float], list[float]]:
    """Wall clock and processor time of each, the best of some rounds in turn."""
    found: list[list[list[float]]] = [[], []]
    ours(), theirs()  # what is loaded once is loaded now
    for _ in range(ROUNDS):
        for place, work in enumerate((ours, theirs)):
            wall, busy = time.perf_counter(), time.process_time()
            work()
            found[place].append([time.perf_counter() - wall, time.process_time() - busy])
    mine, bare = ([min(column) for column in zip(*each, strict=True)] for each in found)
    return mine, bare


def beside(what: str, size: int, ours: list[float], theirs: list[float], place: int, *, aimed: bool) -> common.Row:
    if aimed:
        return common.at_most(f"{what}, time", size, ours[place], theirs[place], BARE, AIM)
    name = ("time", "processor")[place]
    told = f"{ours[place] / size * 1000:.2f} ms a call, bare {theirs[place] / size * 1000:.2f} ms"
    return common.beside(f"{what}, {name}", size, ours[place], theirs[place], BARE, note=told)


def body(one: Question) -> Body:
    told = {"name": "answer", "strict": True, "schema": one.schema}
    return {
        "model": "m",
        "messages": [dict(message) for message in one.messages],
        "temperature": one.temperature,
        "max_tokens": one.max_tokens,
        "response_format": {"type": "json_schema", "json_schema": told},
    }


def by_line(url: str, questions: Sequence[Question]) -> None:
    from annotations.judges.servers import Options
    from models_service.judges.line import Address, Line

    with Line(Address(url), "m", Options(), AT_ONCE) as line:
        for ticket, question in enumerate(questions):
            line.put(ticket, question, str(ticket))
        said = [line.get(timeout=60.0)[1] for _ in questions]
    assert all(isinstance(one, Answer) for one in said), said[0]


def bare(url: str, bodies: Sequence[Body]) -> None:
    import openai

    async def all_of_them() -> None:
        left = iter(bodies)
        async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

            async def one_after_another() -> None:
                for one in left:
                    found = await client.chat.completions.create(**one)
                    assert found.choices[0].message.content

            await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))

    asyncio.run(all_of_them())


# --- a run beside a bare client


def run(url: str) -> list[common.Row]:
    from annotations import jobs
    from annotations.models import JudgeCall, JudgeServer
    from annotations.services import judges

    project = common.project("judged", TRAJECTORIES)
    on = JudgeServer.objects.create(name="bench", title="Bench", url=url, options={"at_once": AT_ONCE})
    first, judge = (
        judges.make(project, None, name=name, server=on, model="m", settings=settings("whole"), **prompt(PROMPT))
        for name in ("first", "judge")
    )
    jobs.run_here(judges.start(first, None, limit=2))  # loads what a worker has loaded long before
    begun, busy = time.perf_counter(), time.process_time()
    done = jobs.run_here(judges.start(judge, None))
    ours = [time.perf_counter() - begun, time.process_time() - busy]
    assert done.state == "done" and done.done == TRAJECTORIES, (done.state, done.error)
    calls = JudgeCall.objects.filter(judge=judge)
    assert not calls.exclude(state="answered").exists()
    asked = [{**one, "messages": tuple(one["messages"])} for one in calls.values_list("question", flat=True)]
    bodies = [body(Question(**one)) for one in asked]
    begun, busy = time.perf_counter(), time.process_time()
    bare(url, bodies)
    theirs = [time.perf_counter() - begun, time.process_time() - busy]
    return [beside("a run", len(bodies), ours, theirs, place, aimed=place == 0) for place in range(2)]


def settings(reading: str) -> Any:
    from annotations.judges.settings import Settings

    return Settings.model_validate({"reading": reading})


def prompt(name: str) -> dict[str, str]:
    from annotations.judges import prompts

    text = (prompts.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    return {"prompt": text, "prompt_name": name}


# --- tokens


def tokens() -> list[common.Row]:
    rows = []
    for name, paths in {"HotpotQA": [common.TRAJECTORIES], "tau-bench": sorted(TAU.glob("gpt*.json.gz"))}.items():
        if not all(path.exists() for path in paths) or not paths:
            continue
        counted = {reading: sent(name, reading, paths) for reading in ("whole", "prefix")}
        steps = counted["whole"]["steps"]
        whole, prefix = ({kind: one[kind] / steps for kind in ("sent", "anew")} for one in counted.values())
        rows += [
            row(f"{name}, step by step, sent", steps, prefix["sent"], whole["sent"], "whole trajectories, sent"),
            row(f"{name}, step by step, read anew", steps, prefix["anew"], prefix["sent"], "step by step, sent"),
            row(f"{name}, whole, read anew", steps, whole["anew"], whole["sent"], "whole trajectories, sent"),
        ]
    return rows


def row(what: str, size: int, ours: float, limit: float, limit_is: str) -> common.Row:
    return common.beside(what, size, ours, limit, limit_is, unit="tokens a step")


def sent(name: str, reading: str, paths: list[Path]) -> dict[str, int]:
    """Steps, tokens of all questions about them, and those that a server reads anew which keeps what it has read."""
    from annotations.models import JudgeServer, Trajectory
    from annotations.services import imports, judges, projects
    from models_service import judging
    from models_service.judges import methods
    from models_service.judges.asked import Judging

    project = projects.create(slug=f"{name}-{reading}".lower())
    imports.import_trajectories(project, paths)
    on, _ = JudgeServer.objects.get_or_create(name="nobody", title="Nobody", url="http://127.0.0.1:9/v1")
    judge = judges.make(project, None, name="x", server=on, model="m", settings=settings(reading), **prompt(PROMPT))
    todo = list(Trajectory.objects.filter(task__project=project).order_by("task", "pk").values_list("task", "pk"))
    kept, found = Kept(), {"steps": 0, "sent": 0, "anew": 0}
    for _, case in judging.cases(judge, todo):
        found["steps"] += len(case.steps)
        for question in questions(methods.asking(Judging(judge.prompt, settings(reading)), case)):
            told = "".join(f"<{one['role']}>{one['content']}" for one in question.messages)
            found["sent"] += len(told) // CHARACTERS
            found["anew"] += (len(told) - kept.read(told)) // CHARACTERS
    return found


def questions(asking: Asking[Any]) -> Iterator[Question]:
    """All that a judge asks where it is always answered."""
    said: list[Said] | None = None
    try:
        while True:
            asked = next(asking) if said is None else asking.send(said)
            yield from asked
            said = [Answer(json.dumps(filled(one.schema))) for one in asked]
    except StopIteration:
        return


class Kept:
    """What a server has read before: every block of tokens with all that stood before it."""

    def __init__(self) -> None:
        self._blocks: set[bytes] = set()

    def read(self, text: str) -> int:
        """How many characters of its beginning were read before."""
        size, before, known, so_far = CHARACTERS * BLOCK, 0, True, hashlib.sha256()
        for place in range(0, len(text) - size + 1, size):
            so_far.update(text[place : place + size].encode())
            block = so_far.digest()
            known = known and block in self._blocks
            before += size * known
            self._blocks.add(block)
        return before


if __name__ == "__main__":
    main()
