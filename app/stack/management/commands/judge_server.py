"""`manage.py judge_server --model PATH`: a judge to try, with no key and no network, until Ctrl-C."""

from __future__ import annotations

import os
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from annotations.judges.servers import Options
from annotations.models import JudgeServer
from app.stack import processes, serving
from app.stack.processes import Child
from app.stack.serving import CannotServe, Plan

PATIENCE = 5.0  # seconds that the server has for ending
NEXT = """{name} answers at {url}. Workers on this machine can ask it; it ends with Ctrl-C.
In a project, under Judges, make a judge with the server {name} and the model
  {model}"""


class Command(BaseCommand):
    help = (
        "Serve a language model of this machine to judges: a folder as transformers saves models, or a GGUF file "
        "(by llama.cpp's llama-server). Waits until it answers, adds it to the servers of judges, and stays until "
        "Ctrl-C. Nothing is downloaded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", type=Path, required=True, metavar="PATH", help="the folder, or the GGUF file")
        parser.add_argument("--port", type=int, default=8766, help="default: 8766")
        parser.add_argument(
            "--wait", type=float, default=600.0, metavar="SECONDS", help="for its loading; default: 600"
        )

    def handle(self, *args: Any, model: Path, port: int, wait: float, **options: Any) -> None:
        try:
            plan = serving.plan(model, port)
        except CannotServe as no:
            raise CommandError(str(no)) from no
        os.environ["HF_HUB_OFFLINE"] = "1"
        child = Child("judge server", plan.argv, settings.STEPMARK_HOME / "judge-server")
        signal.signal(signal.SIGTERM, _interrupted)
        child.start()
        assert child.process
        try:
            serving.wait_until_it_answers(child, plan, wait)
            row = server_row(plan)
            self.stdout.write(NEXT.format(name=row.name, url=row.url, model=plan.model))
            self.stdout.flush()
            child.process.wait()
            raise CommandError("The server has ended; what it said stands above.")
        except CannotServe as no:
            raise CommandError(str(no)) from no
        except KeyboardInterrupt:
            self.stdout.write("Ended. Judges that ask it fail until it is there again.")
        finally:
            processes.stop([child], PATIENCE)


def server_row(plan: Plan) -> JudgeServer:
    """The row of the server at that address, asked in that way; a new one where there is none."""
    options = Options(at_once=1, timeout=900.0, longest=1800.0, retries=1, form=plan.form)
    told = options.model_dump(mode="json")
    found = JudgeServer.objects.filter(url=plan.url, key_env="", removed_at=None)
    for row in found:
        if Options.model_validate(row.options) == options:
            return row
    name = f"local-{plan.port}" + (f"-{plan.form.replace('_', '-')}" if found else "")
    return JudgeServer.objects.create(
        name=name, title=f"This machine, port {plan.port}", url=plan.url, options=told, prices=None
    )


def _interrupted(*_: Any) -> NoReturn:
    raise KeyboardInterrupt
