"""Make a project from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_slug

from annotations import schemes
from annotations.management import asking
from annotations.models import Project
from annotations.services import projects

LONGEST_SLUG, MOST_SEATS = 60, 1000


class Command(BaseCommand):
    help = "Make a project with a label scheme and its guidelines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="short name in addresses: letters, digits, - and _")
        parser.add_argument("--scheme", default="agent-process", metavar="NAME", help="one that comes with Stepmark")
        parser.add_argument("--scheme-file", type=Path, metavar="FILE", help="a scheme of your own, in YAML")
        parser.add_argument("--guideline", default="", metavar="NAME", help="which of the scheme's guidelines to take")
        parser.add_argument("--overlap", type=int, default=2, metavar="N", help="how many people label each trajectory")
        parser.add_argument("--title", default="", metavar="TEXT")
        asking.json_option(parser)

    def handle(self, *, slug: str, scheme: str, overlap: int, title: str, **options: Any) -> None:
        _check(slug, scheme, overlap)
        text = _text(options["scheme_file"])
        guideline = _guideline(schemes.read(text) if text else schemes.shipped()[scheme], options["guideline"])
        project = projects.create(
            slug=slug, title=title[:120], scheme=scheme, text=text, guideline=guideline, overlap=overlap
        )
        result = {"slug": slug, "scheme": str(project.scheme), "overlap": overlap}
        line = f"Project {slug}: scheme {project.scheme}, overlap {overlap}."
        asking.answer(self, result, [line], as_json=options["json"])


def _check(slug: str, scheme: str, overlap: int) -> None:
    try:
        validate_slug(slug)
    except ValidationError:
        raise CommandError(f"{slug!r} is no slug: letters, digits, - and _ are accepted.") from None
    if len(slug) > LONGEST_SLUG:
        raise CommandError(f"A slug has up to {LONGEST_SLUG} characters, not {len(slug)}.")
    if scheme not in schemes.shipped():
        raise CommandError(f"There is no scheme {scheme!r}. There are: {', '.join(schemes.shipped())}.")
    if not 1 <= overlap <= MOST_SEATS:
        raise CommandError(f"--overlap is {overlap}; accepted are 1 to {MOST_SEATS}.")
    if Project.objects.filter(slug=slug).exists():
        raise CommandError(f"There is a project {slug!r} already.")


def _text(file: Path | None) -> str:
    """The scheme in the file, if one is named and it is one."""
    if file is None:
        return ""
    try:
        text = file.read_text(encoding="utf-8-sig")
        schemes.read(text)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
    except schemes.SchemeRefused as no:
        raise CommandError("\n".join(f"{file}, {one}" for one in no.mistakes)) from None
    return text


def _guideline(scheme: schemes.Scheme, name: str) -> str:
    names = [one.name for one in scheme.guidelines]
    if name and name not in names:
        raise CommandError(f"The scheme brings no guidelines {name!r}. It brings: {', '.join(names) or 'none'}.")
    return name
