"""The sample tasks: for each, the calls that solve it, and the slip an agent would make at each of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Move:
    """One call of a good solution. `slip` is what a careless agent would send instead, `think` what it says."""

    tool: str
    args: dict[str, Any]
    think: str
    slip: dict[str, Any]
    slip_think: str = ""


@dataclass(frozen=True)
class DemoTask:
    """A question, its solution, and how an answer is read off what the tools said.

    `answer` gets the tools' replies of the moves in order, parsed; it reads them as they are, so that a slip really
    leads to a wrong answer. `misread` is the wrong answer of an agent that looks at the right replies and errs.
    """

    name: str
    question: str
    truth: str
    moves: tuple[Move, ...]
    answer: Callable[[list[Any]], str]
    misread: str
    invented: str
    tools: tuple[str, ...] = field(default=())

    @property
    def tool_names(self) -> list[str]:
        return list(dict.fromkeys([move.tool for move in self.moves] + list(self.tools)))


def _first_row(reply: Any) -> list[Any]:
    rows = reply.get("rows") or [["nobody", 0]]
    return list(rows[0])


def _text(reply: Any) -> str:
    return json.dumps(reply, ensure_ascii=False)


def _between(reply: Any, before: str, after: str) -> str:
    """What stands between two words of a reply; 'unknown' where they are not there."""
    text = _text(reply)
    start = text.find(before)
    if start < 0:
        return "unknown"
    return text[start + len(before) :].split(after, 1)[0].strip()


SPENT = (
    "select c.name, round(sum(o.quantity*p.price),2) as spent from orders o join customers c on c.id=o.customer_id "
    "join products p on p.id=o.product_id where o.day like '{month}%' group by c.name order by spent desc limit 1"
)

TASKS = (
    DemoTask(
        "march-customer",
        "Which customer spent the most in March 2024, and how much?",
        "Ines Valcourt, 228.00",
        (
            Move("sql", {"query": "select min(day), max(day), count(*) from orders"},
                 "I look at which days the orders cover.",
                 {"query": "select min(date), max(date) from orders"}, "I look at the order dates."),
            Move("sql", {"query": SPENT.format(month="2024-03")}, "Now the total per customer for March.",
                 {"query": SPENT.format(month="2024-04")}, "Now the total per customer for the month."),
        ),
        lambda seen: "{}, {:.2f}".format(*_first_row(seen[-1])),
        "Orla Finch, 88.00",
        "Bram Oster, 310.00",
    ),
    DemoTask(
        "lamp-stock",
        "How many of the cheapest lamp are left in stock once order 1007 has shipped?",
        "5",
        (
            Move("sql", {"query": "select name, price, stock from products where kind='lamp' order by price limit 1"},
                 "First the cheapest lamp and its stock.",
                 {"query": "select name, price, stock from products where kind='lamp' order by price desc limit 1"}),
            Move("sql", {"query": "select quantity from orders where id=1007"}, "How many does order 1007 take?",
                 {"query": "select quantity from orders where id=1006"}),
        ),
        lambda seen: str(_first_row(seen[0])[2] - _first_row(seen[1])[0]),
        "9",
        "12",
        ("calculator",),
    ),
    DemoTask(
        "architect-school",
        "In which year was the school founded that the architect of Larkhaven's town hall attended?",
        "1862",
        (
            Move("search", {"query": "Larkhaven town hall architect"}, "I look for the architect of the town hall.",
                 {"query": "Larkhaven harbour bell tower"}, "I look for the building with the bell."),
            Move("search", {"query": "Edda Thorne architect attended school"}, "Which school did Edda Thorne attend?",
                 {"query": "architects attended classes district surveyors"}, "Which school did architects attend?"),
            Move("search", {"query": "Quayside School founded"}, "When was the Quayside School founded?",
                 {"query": "Tidewell ropemakers guild chartered"}, "I check the guild behind the school."),
        ),
        lambda seen: _between(seen[-1], "founded in ", " "),
        "1903",
        "1871",
    ),
    DemoTask(
        "ferry-distance",
        "How many kilometres does the ferry cover from Larkhaven to Tidewell by way of Gull Rock?",
        "32.41 km",
        (
            Move("search", {"query": "ferry Larkhaven Gull Rock Tidewell nautical miles"}, "I look up the legs of the ferry.",
                 {"query": "Gull Rock light keeper museum"}, "I look up Gull Rock."),
            Move("calculator", {"expression": "6.5 + 11"}, "The two legs together, in nautical miles.",
                 {"expression": "6.5 * 11"}, "The legs together."),
            Move("convert", {"value": 17.5, "unit": "nmi", "to": "km"}, "In kilometres.",
                 {"value": 17.5, "unit": "mi", "to": "km"}, "In kilometres."),
        ),
        lambda seen: f"{seen[-1].get('value', 0):.2f} km",
        "17.5 km",
        "28 km",
    ),
    DemoTask(
        "permit",
        "Is permit 88-B still valid on 29 March 2024? Say yes or no and the last day it is valid.",
        "No, it ended on 2024-03-28",
        (
            Move("read_file", {"path": "notes/permits.txt"}, "I read the note on permits.",
                 {"path": "permits.txt"}),
            Move("add_days", {"start": "2024-02-12", "days": 45}, "45 days from the day of issue.",
                 {"start": "2024-02-21", "days": 45}, "I add the 45 days."),
        ),
        lambda seen: ("No, it ended on {}" if seen[-1].get("date", "") < "2024-03-29" else "Yes, until {}").format(
            seen[-1].get("date", "unknown")
        ),
        "Yes, until 2024-03-29",
        "Yes, until 2024-04-12",
    ),
    DemoTask(
        "first-error",
        "Which service logged the first error of the morning, and with what code?",
        "mailer, E104",
        (
            Move("read_file", {"path": "logs/api.log"}, "I read the api log.", {"path": "log/api.log"}),
            Move("read_file", {"path": "logs/mailer.log"}, "Then the mailer's.", {"path": "logs/api.log"},
                 "Then the next one."),
            Move("read_file", {"path": "logs/search.log"}, "And the search service's.", {"path": "logs/worker.log"}),
        ),
        lambda seen: "mailer, E104" if "E104" in _text(seen) else "api, E217",
        "api, E217",
        "search, E330",
    ),
    DemoTask(
        "staging-timeout",
        "What timeout and how many retries are in force in staging?",
        "30 seconds, 5 retries",
        (
            Move("read_file", {"path": "config/staging.toml"}, "I read the staging settings.",
                 {"path": "config/production.toml"}, "I read the settings of the deployment."),
            Move("read_file", {"path": "config/base.toml"}, "They inherit from base, so I read that too.",
                 {"path": "config/base.yaml"}),
        ),
        lambda seen: "{} seconds, {} retries".format(
            _between(seen[0], "timeout_seconds = ", "\\n")
            if "timeout_seconds" in _text(seen[0])
            else _between(seen[1], "timeout_seconds = ", "\\n"),
            _between(seen[0], "retries = ", "\\n") if "retries" in _text(seen[0]) else _between(seen[1], "retries = ", "\\n"),
        ),
        "30 seconds, 2 retries",
        "60 seconds, 3 retries",
    ),
    DemoTask(
        "room",
        "Book the smallest room that seats 12 people and is free on Thursday at 10:00.",
        "Osprey",
        (
            Move("list_rooms", {"seats": 12}, "Which rooms seat twelve?", {"seats": 2}, "Which rooms are there?"),
            Move("book", {"room": "Osprey", "day": "Thursday", "hour": "10:00"},
                 "Heron is taken then; Osprey is the next smallest.",
                 {"room": "Heron", "day": "Thursday", "hour": "10:00"}, "Heron seats twelve."),
        ),
        lambda seen: seen[-1].get("booked", "no room"),
        "Heron",
        "Curlew",
    ),
    DemoTask(
        "bread",
        "How many grams of seeds does a batch of 6 loaves of reed bread need? Round to whole grams.",
        "595 g",
        (
            Move("read_file", {"path": "data/recipe.txt"}, "I read the recipe.", {"path": "data/recipes.txt"}),
            Move("convert", {"value": 14, "unit": "oz", "to": "g"}, "Seeds are in ounces; in grams that is",
                 {"value": 14, "unit": "lb", "to": "g"}, "Seeds in grams."),
            Move("calculator", {"expression": "396.8933 * 6 / 4"}, "The recipe is for 4 loaves, so six take",
                 {"expression": "396.8933 * 6"}, "For six loaves that is"),
        ),
        lambda seen: f"{round(seen[-1].get('result', 0))} g",
        "397 g",
        "21 g",
    ),
    DemoTask(
        "overtime",
        "What is Jonas Pell paid for the week if overtime is paid at one and a half times the hourly rate?",
        "1012.19",
        (
            Move("sql", {"query": "select hourly, hours, overtime from staff where name='Jonas Pell'"},
                 "I look up his rate and hours.",
                 {"query": "select hourly, hours, overtime from staff where name='Wim Archer'"}, "I look up the rate."),
            Move("calculator", {"expression": "19.75 * 40 + 19.75 * 1.5 * 7.5"}, "Regular hours plus overtime.",
                 {"expression": "19.75 * 47.5"}, "Rate times all hours."),
        ),
        lambda seen: f"{seen[-1].get('result', 0):.2f}",
        "790.00",
        "905.50",
    ),
    DemoTask(
        "mayor-growth",
        "By how many people did Larkhaven grow between the census years in which Mayor Dahl's successor took office "
        "and 2000?",
        "2855",
        (
            Move("search", {"query": "mayor Sunniva Dahl succeeded"}, "When did her successor take office?",
                 {"query": "heron festival visitors"}, "I look for events around the mayor."),
            Move("search", {"query": "population census Larkhaven inhabitants", "top": 1}, "The census figures of the town.",
                 {"query": "Population of Tidewell", "top": 1}, "The census figures."),
            Move("calculator", {"expression": "22470 - 19615"}, "Pike followed in 1990, so 2000 minus 1990.",
                 {"expression": "22470 - 18240"}, "The growth is"),
        ),
        lambda seen: str(round(seen[-1].get("result", 0))),
        "4230",
        "3100",
    ),
    DemoTask(
        "sensor-mean",
        "What is the mean temperature of the readings that are not flagged as faults?",
        "19.0",
        (
            Move("read_file", {"path": "data/sensors.csv"}, "I read the readings.", {"path": "data/sensor.csv"}),
            Move("calculator", {"expression": "(17.5 + 18.0 + 19.5 + 21.0) / 4"}, "The mean of the four good ones.",
                 {"expression": "(17.5 + 18.0 + 91.0 + 19.5 + 21.0) / 5"}, "The mean of the readings."),
        ),
        lambda seen: f"{seen[-1].get('result', 0):.1f}",
        "33.4",
        "20.2",
    ),
)  # fmt: skip
