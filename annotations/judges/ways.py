"""Which ways of judging go with which schemes, and why others do not."""

from __future__ import annotations

from annotations.judges.prompts import Prompt
from annotations.judges.settings import Settings
from annotations.records import Json
from annotations.schemes.fields import ChoiceField, PreferenceField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme

MOST_LETTERS = 26


def refusal(settings: Settings, scheme: Scheme, prompt: Prompt | None = None) -> str:
    """Why a judge of these settings, with this prompt, cannot label under the scheme; empty where it can."""
    if prompt and (reason := of_prompt(prompt, settings)):
        return f"prompt: {reason}"
    if settings.answer == "wrong_steps" and (reason := of_wrong_steps(scheme)):
        return f"answer: {reason}"
    if settings.method == "log_probs" and not lettered(scheme):
        return (
            f"method: log_probs reads the letter of a choice, and {scheme.title} has no required field of kind choice "
            f"with up to {MOST_LETTERS} answers; accepted is any other method"
        )
    return ""


def of_prompt(prompt: Prompt, settings: Settings) -> str:
    """Why the prompt does not go with the settings. A prompt for labels does for the wrong steps too."""
    if prompt.part != "judge":
        return f"{prompt.name} is a piece of a method, and no judge's prompt"
    if prompt.answer == "wrong_steps" and settings.answer != "wrong_steps":
        return f"{prompt.name} asks for the wrong steps alone; accepted is it with answer: wrong_steps"
    if prompt.reading and settings.reading not in prompt.reading:
        return f"{prompt.name} is for reading: {' or '.join(prompt.reading)}, not {settings.reading}"
    return ""


def of_wrong_steps(scheme: Scheme) -> str:
    """Why the wrong steps alone give no labels; empty where they do."""
    main = scheme.main_field
    if main.kind == "first_error":
        return ""
    if main.kind != "choice" or main.target != "step":
        return (
            f"wrong_steps need a main field of steps with one choice, or one that asks for the first error; "
            f"{main.name} is of kind {main.kind}"
        )
    if scheme.wrong is None or right(scheme) is None:
        return f"wrong_steps need a wrong and a right answer; {main.name} has {', '.join(map(str, main.values))}"
    return ""


def right(scheme: Scheme) -> Json:
    """The answer of the main field that means a right step: what a rule fills in before the error, else the first of
    those that look right; None where none does."""
    main = scheme.main_field
    of_main = [rule.settings for rule in scheme.rules if rule.field == scheme.main]
    filled = [settings["before"] for settings in of_main if "before" in settings]
    toned = [value for value in main.values if main.tone(value) == "right" and value != scheme.wrong]
    return next(iter([*filled, *toned]), None)


def lettered(scheme: Scheme) -> list[FieldSpec]:
    """The fields whose answer can be one letter: those that must be answered with one of a few choices."""
    return [
        spec
        for spec in scheme.fields
        if isinstance(spec, ChoiceField) and spec.required and not spec.when and len(spec.values) <= MOST_LETTERS
    ]


def compared(scheme: Scheme) -> list[FieldSpec]:
    """The fields that compare candidates: each is asked in both orders."""
    return [spec for spec in scheme.fields if isinstance(spec, PreferenceField)]
