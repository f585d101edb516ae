"""The judges of projects on the command line: servers, versions, asking, how they stand."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError

from annotations import jobs
from annotations.judges import prompts, servers
from annotations.judges.prompts import BadPrompt
from annotations.judges.settings import Settings
from annotations.management import writing
from annotations.models import Judge, JudgeServer, Project, Run
from annotations.services import judge_servers, judge_summary, judges
from annotations.services.judge_servers import ServerRefused
from annotations.services.judges import Estimate, JudgeRefused
from annotations.services.projects import scheme_of


class Command(BaseCommand):
    help = "Servers of judges, judges of a project, asking them."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, parser_class=ArgumentParser)
        deeds.add_parser("servers", help="The servers that can be asked.")
        add = deeds.add_parser("add-server", help="Add a server for all projects.")
        add.add_argument("name")
        add.add_argument("url", help="As API clients are given it, ending in /v1.")
        add.add_argument("--title", default="")
        add.add_argument("--key-env", default="", help="The variable of the workers' environment that holds the key.")
        add.add_argument("--options", default="{}", help="A JSON object: at_once, requests_per_minute, …")
        add.add_argument("--prices", help="A file with the price list, as JSON, or the name of one of ours.")
        deeds.add_parser("prices", help="The price lists that come with Stepmark.")
        make = deeds.add_parser("make", help="Make a judge, or the next version of one.")
        make.add_argument("project")
        make.add_argument("name")
        make.add_argument("--server", required=True, help="Its name.")
        make.add_argument("--model", required=True)
        make.add_argument(
            "--prompt", default="", help="One of ours by name, or a file. Without it, the first that fits."
        )
        make.add_argument("--settings", default="{}", help='A JSON object, as {"reading": "prefix", "sight": "blind"}.')
        found = deeds.add_parser("list", help="A project's judges, and how they stand.")
        found.add_argument("project")
        run = deeds.add_parser("run", help="Ask a judge. Says what that takes first, and asks whether to.")
        run.add_argument("project")
        run.add_argument("judge", help="Its name, for the newest version, or name@version.")
        run.add_argument("--limit", type=int, help="Only so many trajectories, drawn by chance.")
        run.add_argument("--again", action="store_true", help="Also those that it has labelled already.")
        run.add_argument("--yes", action="store_true", help="Do not ask.")
        run.add_argument("--wait", action="store_true", help="Return once it is over.")
        writing.arguments(deeds.add_parser("write", help="Let a judge write lists of tasks; each waits for a person."))

    def handle(self, *args: Any, deed: str, **options: Any) -> None:
        deeds: dict[str, Callable[..., None]] = {
            "servers": self.servers,
            "add-server": self.add_server,
            "prices": self.prices,
            "make": self.make,
            "list": self.list,
            "run": self.run,
            "write": self.write,
        }
        try:
            deeds[deed](**options)
        except (ServerRefused, JudgeRefused, BadPrompt) as no:
            raise CommandError(str(no)) from no
        except ValidationError as no:
            raise CommandError(
                "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}".strip() for e in no.errors())
            ) from no

    def servers(self, **_: Any) -> None:
        for one in judge_servers.there():
            prices = f"prices {one.prices['version']}" if one.prices else "no prices"
            self.stdout.write(f"{one.name:<20} {one.url}  {one.title}, {prices}")

    def add_server(
        self, name: str, url: str, title: str, key_env: str, options: str, prices: str | None, **_: Any
    ) -> None:
        listed = _price_list(prices) if prices else None
        kept = _json(options, "options")
        judge_servers.add(name, None, title=title or name, url=url, key_env=key_env, options=kept, prices=listed)
        self.stdout.write(f"Added {name}.")

    def prices(self, **_: Any) -> None:
        for name, one in servers.listed().items():
            if one.models:
                self.stdout.write(f"{name:<12} {one.version}, {len(one.models)} models, from {one.source}")

    def make(self, project: str, name: str, server: str, model: str, prompt: str, settings: str, **_: Any) -> None:
        found = _project(project)
        row = JudgeServer.objects.filter(name=server, removed_at=None).first()
        if row is None:
            there = ", ".join(one.name for one in judge_servers.there()) or "none"
            raise CommandError(f"There is no server {server!r}; there are: {there}.")
        text, told = _prompt(found, prompt)
        kept = Settings.model_validate(_json(settings, "settings"))
        made = judges.make(
            found,
            None,
            name=name,
            server=row,
            model=model,
            prompt=text,
            prompt_name=told,
            settings=kept,
            guideline=found.guidelines.first(),
        )
        self.stdout.write(f"Made {made}. Try it: manage.py judges run {project} {name} --limit 5 --wait")

    def list(self, project: str, **_: Any) -> None:
        for named in judge_summary.of_project(_project(project)):
            for one in named.versions:
                cost = f"{one.cost:.4f}" if one.cost_micro else "not known" if one.unpriced else "nothing"
                state = " retired" if one.judge.retired_at else ""
                self.stdout.write(
                    f"{one.judge!s:<24}{state} {one.judge.model}: {one.labelled} labelled, {one.failed} failed, "
                    f"{one.calls} questions, cost {cost}"
                )

    def run(self, project: str, judge: str, limit: int | None, again: bool, yes: bool, wait: bool, **_: Any) -> None:
        found = _judge(_project(project), judge)
        config: dict[str, Any] = ({"limit": limit} if limit else {}) | ({"again": True} if again else {})
        self.stdout.write("\n".join(_words(judges.estimate(found, config))))
        if not yes and input("Ask it? [y/N] ").strip().lower() not in ("y", "yes"):
            return
        begun = judges.start(found, None, limit=limit, again=again)
        self.stdout.write(f"Run {begun.pk}.")
        if not wait:
            return
        begun = jobs.wait(begun)
        asked = judge_summary.of_run(begun)
        states = ", ".join(f"{count} {state}" for state, count in sorted(asked.states.items())) or "nothing new"
        self.stdout.write(f"{begun.get_state_display()}: {begun.done} trajectories; questions: {states}.")
        for reason, count, _example in asked.reasons:
            self.stdout.write(f"  {count} × {reason}")
        if begun.state != Run.State.DONE:
            raise CommandError(begun.error or f"The run is {begun.state}.")

    def write(self, project: str, judge: str, **options: Any) -> None:
        writing.write(self, _judge(_project(project), judge), **options)


def _project(slug: str) -> Project:
    found = Project.objects.select_related("scheme").filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no project {slug!r}.")
    return found


def _judge(project: Project, named: str) -> Judge:
    name, _, version = named.partition("@")
    rows = Judge.objects.filter(project=project, name=name).select_related("server", "guideline", "project__scheme")
    if version:
        rows = rows.filter(version=int(version) if version.isdecimal() else 0)
    found = rows.order_by("-version").first()
    if found is None:
        there = ", ".join(f"{one.name}@{one.version}" for one in project.judges.order_by("name", "version")) or "none"
        raise CommandError(f"There is no judge {named!r}; there are: {there}.")
    return found


def _prompt(project: Project, asked: str) -> tuple[str, str]:
    """Its text, and where it comes from."""
    if not asked:
        fitting = prompts.fitting(scheme_of(project.scheme))
        return fitting[0].text, fitting[0].label
    if asked in prompts.shipped():
        return prompts.shipped()[asked].text, prompts.shipped()[asked].label
    if not Path(asked).is_file():
        raise CommandError(f"prompt: {asked!r} is no file, and none of ours: {', '.join(prompts.shipped())}.")
    return Path(asked).read_text(encoding="utf-8"), "own"


def _words(estimate: Estimate) -> list[str]:
    lines = [
        f"{estimate.trajectories} trajectories, {estimate.steps} steps: about {estimate.calls} questions, "
        f"{estimate.prompt_tokens} tokens in, {estimate.completion_tokens} out."
    ]
    cost = f"about {estimate.cost.amount:.2f} {estimate.cost.currency}" if estimate.cost else "not known"
    lines.append(f"Cost: {cost}." + ("" if estimate.is_held else " The project's budget does not hold it."))
    return lines


def _price_list(named: str) -> Any:
    """One of ours by its name, or a file."""
    if ours := servers.listed().get(named):
        return ours.model_dump(mode="json")
    try:
        return _json(Path(named).read_text(encoding="utf-8"), "prices")
    except OSError as no:
        there = ", ".join(name for name, one in servers.listed().items() if one.models)
        raise CommandError(f"There is no file {named}, and no price list of that name; ours are: {there}.") from no


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise CommandError(f"{name} is no JSON: {exc}") from exc
