"""Spans over HTTP to a running server: from OpenTelemetry's own exporter, and with workers killed over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests import spans
from tests.live.stacks import Stack, until

VERSION = version("opentelemetry-proto")  # the exporter of what we read with
ROOT = Path(__file__).parents[2]
HOME = ROOT / "var" / f"opentelemetry-{VERSION}"
ASKED = "STEPMARK_OPENTELEMETRY"  # set it to run these tests outside CI: the first run installs some packages

pytestmark = pytest.mark.live
needs_sdk = pytest.mark.skipif(not {"CI", ASKED} & set(os.environ), reason=f"runs in CI, or with {ASKED}=1")

PREPARE = """
from annotations.models import ApiToken, Role
from tests import make
user = make.user({slug!r})
project = make.project(user, slug={slug!r})
project.memberships.update(role=Role.OWNER)
token, secret = ApiToken.objects.create(user=user, name="agent", project=project)
answer = secret
"""
MADE = """
from annotations.models import Project
project = Project.objects.get(slug={slug!r})
answer = [
    [one.external_id, one.version, one.task.source, [step.message for step in one.steps.of_agent()]]
    for one in project.trajectories.live().select_related("task").order_by("external_id")
]
"""
LABEL = """
from annotations.models import Project
from tests import make
project = Project.objects.get(slug={slug!r})
judge = make.rater(project, "judge")
for one in project.trajectories.live():
    make.rating(judge, one, [1, -1])
answer = True
"""
LABELS = """
from annotations.models import Label, Trajectory
project = Trajectory.objects.filter(project__slug={slug!r})
current = Label.objects.current().filter(step__trajectory__in=project.live())
answer = {{"live": current.count(), "versions": project.count()}}
"""
SENDS = """
import json, logging, sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

class Watched(OTLPSpanExporter):
    results = []

    def export(self, those):
        result = super().export(those)
        self.results.append(result.name)
        return result

def part(role, text):
    return {"role": role, "parts": [{"type": "text", "content": text}]}

logging.basicConfig()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(Watched()))
tracer = provider.get_tracer("agent")
heard = [part("user", "How warm is it in Oslo?")]
with tracer.start_as_current_span("invoke_agent weather", attributes={"gen_ai.operation.name": "invoke_agent"}) as root:
    for turn in range(2):
        said = part("assistant", f"Answer {turn}.")
        told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1", "gen_ai.conversation.id": "talk-7"}
        told |= {"gen_ai.input.messages": json.dumps(heard), "gen_ai.output.messages": json.dumps([said])}
        with tracer.start_as_current_span("chat small-1", attributes=told):
            pass
        heard += [said, part("user", f"Question {turn}?")]
provider.shutdown()
print(json.dumps({"trace": f"{root.get_span_context().trace_id:032x}", "results": Watched.results}))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of an environment with OpenTelemetry's SDK and exporter, made once."""
    made = HOME / "bin" / "python"
    if not (HOME / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
        wanted = [f"opentelemetry-sdk=={VERSION}", f"opentelemetry-exporter-otlp-proto-http=={VERSION}"]
        pip = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        subprocess.run(pip, check=True)
        (HOME / "whole").touch()
    return made


def exported(python: Path, stack: Stack, slug: str, secret: str, **more: str) -> dict[str, Any]:
    """An agent at work in a process of its own, set up as docs/engineers.md says."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    env |= {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{stack.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"authorization=Token%20{secret},x-stepmark-project={slug}",
        "OTEL_SERVICE_NAME": "weather-bot",
    }
    command = [python, "-c", SENDS]
    done = subprocess.run(command, env=env | more, capture_output=True, text=True, check=True, timeout=120)
    return dict(json.loads(done.stdout), log=done.stderr)


def sent(stack: Stack, secret: str, body: bytes) -> int:
    headers = {"Authorization": f"Token {secret}", "Content-Type": "application/x-protobuf"}
    request = urllib.request.Request(f"{stack.url}/v1/traces", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def made(stack: Stack, slug: str) -> list[list[Any]]:
    """Each live trajectory: its name, version, source and what its steps say."""
    return list(stack.shell(MADE.format(slug=slug)))


@needs_sdk
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_what_the_exporter_of_opentelemetry_sends_becomes_a_trajectory(stack, python, compression):
    slug = f"sdk-{compression}"
    secret = stack.shell(PREPARE.format(slug=slug))
    told = exported(python, stack, slug, secret, OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=compression)
    assert set(told["results"]) == {"SUCCESS"} and not told["log"], told
    found = until(lambda: made(stack, slug), 60, "a trajectory")
    assert found == [[told["trace"], 1, "weather-bot", ["Answer 0.", "Answer 1."]]]


@needs_sdk
def test_the_exporter_gives_up_on_a_refusal_and_says_why(stack, python):
    stack.shell(PREPARE.format(slug="sdk-refused"))
    told = exported(python, stack, "sdk-refused", "nobody's")
    assert set(told["results"]) == {"FAILURE"} and "401" in told["log"]
    assert made(stack, "sdk-refused") == []


@needs_sdk
def test_the_exporter_sends_again_what_came_while_the_database_was_away(stack, python):
    secret = stack.shell(PREPARE.format(slug="sdk-again"))
    killed = stack.kill("postgres")
    told = exported(python, stack, "sdk-again", secret, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT="60")
    stack.wait_back("postgres", killed)
    assert set(told["results"]) == {"SUCCESS"}, told
    assert until(lambda: made(stack, "sdk-again"), 60, "a trajectory")[0][0] == told["trace"]


MANY = 60
# Kills the worker at a given place: everything is written, and the transaction waits for its last table.
KILLS = """
import os, signal, time
from django.db import connection, transaction
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("LOCK TABLE annotations_event IN EXCLUSIVE MODE")
    waits = 0
    for _ in range(600):
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'annotations_event'::regclass")
        if waits := cursor.fetchone()[0]:
            break
        time.sleep(0.1)
    for pid in {pids}:
        os.kill(pid, signal.SIGKILL)
answer = waits
"""


def worker_of(stack: Stack) -> list[int]:
    """Its main process and those that do the work, which outlive it for a while."""
    main = stack.pids["worker"]
    return [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]


def test_workers_that_are_killed_over_traces_and_over_late_spans_lose_and_double_nothing(stack):
    secret = stack.shell(PREPARE.format(slug="killed-over"))
    names = [f"{number:032x}" for number in range(1, MANY + 1)]

    def send_and_kill(first: int, turns: int) -> None:
        until(lambda: stack.health().get("workers"), what="a living worker")
        some = [one for name in names for one in spans.agent(trace=name, turns=turns)[first:]]
        assert sent(stack, secret, spans.as_protobuf(*some)) == 200
        pids = worker_of(stack)
        assert stack.shell(KILLS.format(pids=pids)) > 0, "nobody was at the traces"
        stack.wait_back("worker", pids[0])

    send_and_kill(0, turns=2)
    said = ["Answer 0.", "Answer 1."]
    until(lambda: len(made(stack, "killed-over")) == MANY, 120, "every trajectory")
    assert made(stack, "killed-over") == [[name, 1, "weather-bot", said] for name in names]
    stack.shell(LABEL.format(slug="killed-over"))

    send_and_kill(3, turns=3)
    until(lambda: all(one[1] == 2 for one in made(stack, "killed-over")), 120, "every new version")
    assert made(stack, "killed-over") == [[name, 2, "weather-bot", [*said, "Answer 2."]] for name in names]
    labels = stack.shell(LABELS.format(slug="killed-over"))
    assert labels == {"live": 2 * MANY, "versions": 2 * MANY}
