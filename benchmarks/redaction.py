"""Redaction: what is found and missed in generated sentences, by kind, and the speed.

The sentences are made by chance, always the same ones. Spoken ones are also measured with every eighth word
replaced by another one, about as often as `tiny.en` mishears. Presidio is measured where it is installed with
the model that REDACTOR_MODEL names.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from random import Random
from typing import NamedTuple

from adapters.redaction.rules import RulesRedactor
from benchmarks.report import Report, Table, Target
from ports.redactor_port import RedactorPort

COUNT = 200
"""Sentences of each kind."""
WORD_ERRORS = 0.125
"""Share of the words that are replaced."""
HEARD_INSTEAD = (
    "to",
    "for",
    "a",
    "the",
    "ate",
    "won",
    "tree",
    "heaven",
    "nein",
    "hour",
    "and",
    "in",
    "do",
    "is",
    "it",
)
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GIVEN = ("James", "Mary", "Wei", "Olga", "Priya", "Ahmed", "Lukas", "Chloe", "Mateo", "Fatima", "Sven")
FAMILY = (
    "Smith",
    "Garcia",
    "Müller",
    "Okafor",
    "Tanaka",
    "Novak",
    "Rossi",
    "Larsen",
    "Silva",
    "Kim",
    "Jones",
)
PLACES = ("London", "Berlin", "Chicago", "Lagos", "Osaka", "Madrid", "Toronto", "Mumbai", "Oslo", "Lima")
HOSTS = ("example", "gmail", "acme", "northwind", "company")
FRAMES = ("my {} is {}, thanks", "okay so the {} is {} and that is all", "please note the {} {} for me")
HARMLESS = (
    "we sold {n} units for {a} dollars in {y}, up from {m} the year before",
    "let us meet on {d} at {t} in room {r}, and bring {s} chairs",
    "chapter {s} says that {a} people lived there between {y} and {z}",
    "it took {s} hours and {m} minutes to drive {r} miles at the end of {y}",
    "i have one or two questions, three at most, about the four of them",
    "look at the website, or meet me at the office at nine",
)


class Sentence(NamedTuple):
    """A sentence, and the place of the personal data in it."""

    text: str
    data: str


Generator = Callable[[Random], str]


def digits(random: Random, count: int) -> str:
    """Return some digits, not beginning with 0."""
    return random.choice("123456789") + "".join(random.choice("0123456789") for _ in range(count - 1))


def card(random: Random) -> str:
    """Return a card number with its check digit."""
    body = random.choice(("4", "51", "55")) + digits(random, 15)
    body = body[:15]
    doubled = (int(d) * 2 - 9 * (int(d) > 4) if n % 2 == 0 else int(d) for n, d in enumerate(body))  # noqa: PLR2004
    return body + str(-sum(doubled) % 10)


def account(random: Random) -> str:
    """Return a German IBAN with its check digits."""
    body = "".join(random.choice("0123456789") for _ in range(18))
    return f"DE{98 - int(body + '131400') % 97:02}{body}"


def grouped(text: str, random: Random) -> str:
    """Write in groups of four, or without spaces."""
    separator = random.choice((" ", " ", "-", ""))
    return separator.join(text[n : n + 4] for n in range(0, len(text), 4))


def phone(random: Random) -> str:
    """Write a phone number in one of the usual ways."""
    forms = ("{}-{}-{}", "({}) {}-{}", "+1 {} {} {}", "+44 20{} {} {}", "0{} {}{}", "{}.{}.{}")
    return random.choice(forms).format(digits(random, 3), digits(random, 3), digits(random, 4))


def spoken(text: str, random: Random) -> str:
    """Speak digits one by one, sometimes with "double", "oh" and pauses, and letters as letters."""
    words: list[str] = []
    for sign in text.lower():
        word = DIGITS[int(sign)] if sign.isdigit() else sign
        word = "oh" if word == "zero" and random.random() < 0.5 else word  # noqa: PLR2004 - half of them
        if words and words[-1] == word and sign.isdigit() and random.random() < 0.3:  # noqa: PLR2004
            words[-1:] = ["double", word]
        else:
            words.append(word)
        if random.random() < 0.05:  # noqa: PLR2004
            words.append("um")
    return " ".join(words).removesuffix(" um")


def name(random: Random) -> str:
    """Return a name in full."""
    return f"{random.choice(GIVEN)} {random.choice(FAMILY)}"


def mail(random: Random) -> str:
    """Return an address."""
    local = random.choice((".", "_", "")).join(name(random).lower().replace("ü", "u").split())
    number = random.choice(("", str(random.randrange(100))))
    return f"{local}{number}@{random.choice(HOSTS)}.{random.choice(('com', 'org', 'co.uk', 'de'))}"


def spoken_mail(random: Random) -> str:
    """Speak an address."""
    signs = {".": " dot ", "_": " underscore ", "@": " at "}
    text = "".join(signs.get(sign, sign) for sign in mail(random))
    return " ".join("".join(f" {DIGITS[int(s)]} " if s.isdigit() else s for s in text).split())


KINDS: dict[str, tuple[str, Generator]] = {
    "e-mail, written": ("e-mail", mail),
    "e-mail, spoken": ("e-mail", spoken_mail),
    "phone, written": ("number", phone),
    "phone, spoken": ("number", lambda r: spoken(digits(r, r.choice((7, 10, 11))), r)),
    "IBAN, written": ("account", lambda r: grouped(account(r), r)),
    "IBAN, spoken": ("account", lambda r: spoken(account(r), r)),
    "card, written": ("card", lambda r: grouped(card(r), r)),
    "card, spoken": ("card", lambda r: spoken(card(r), r)),
    "number, written": ("code", lambda r: digits(r, r.randrange(6, 11))),
    "number, spoken": ("code", lambda r: spoken(digits(r, r.randrange(6, 11)), r)),
    "name": ("name", name),
    "place": ("city", lambda r: r.choice(PLACES)),
}


def sentences(kind: str) -> Iterator[Sentence]:
    """Generate the sentences of a kind."""
    random = Random(kind)  # noqa: S311 - makes sentences
    what, generate = KINDS[kind]
    for _ in range(COUNT):
        data = generate(random)
        yield Sentence(random.choice(FRAMES).format(what, data), data)


def misheard(sentence: Sentence, random: Random) -> Sentence:
    """Replace some words, as an engine does."""
    before, _, after = sentence.text.partition(sentence.data)
    parts = [
        " ".join(
            random.choice(HEARD_INSTEAD) if random.random() < WORD_ERRORS else word for word in part.split()
        )
        for part in (before, sentence.data, after)
    ]
    return Sentence(" ".join(parts), parts[1])


def harmless() -> Iterator[str]:
    """Generate sentences with numbers that are no personal data."""
    random = Random("harmless")  # noqa: S311 - makes sentences
    for number in range(6 * COUNT):
        yield HARMLESS[number % len(HARMLESS)].format(
            n=f"{random.randrange(1000, 999_999):,}", a=random.randrange(1000, 99_999),
            y=random.randrange(1950, 2030), z=random.randrange(1950, 2030), m=random.randrange(1, 60),
            s=random.randrange(1, 20),
            r=random.randrange(100, 500), t=f"{random.randrange(24)}:{random.randrange(10, 60)}",
            d=f"{random.randrange(1, 29)}.{random.randrange(1, 13)}.{random.randrange(2000, 2030)}",
        )  # fmt: skip


def hidden(redactor: RedactorPort, cases: Sequence[Sentence]) -> float:
    """Return the share of sentences in which no letter or digit of the data is left."""
    return sum(_is_hidden(redactor, case) for case in cases) / len(cases)


def _is_hidden(redactor: RedactorPort, case: Sentence) -> bool:
    start = case.text.index(case.data)
    left = set(range(start, start + len(case.data)))
    for found in redactor.find(case.text, "en"):
        left -= set(range(found.start, found.end))
    return not any(case.text[place].isalnum() for place in left)


def measure() -> Report:
    """Measure all redactors that are installed."""
    redactors = dict(_redactors())
    rows = [_row(kind, list(sentences(kind)), redactors) for kind in KINDS]
    random = Random("misheard")  # noqa: S311 - makes sentences
    for kind in KINDS:
        if "written" not in kind:
            cases = [misheard(each, random) for each in sentences(kind)]
            rows.append(_row(f"{kind}, one word in eight misheard", cases, redactors))
    innocent = list(harmless())
    wrong = {name: sum(bool(each.find(text, "en")) for text in innocent) for name, each in redactors.items()}
    rows.append(
        ("harmless sentences that lost something", *(f"{n / len(innocent):.1%}" for n in wrong.values()))
    )
    rows.append(("characters/s", *(f"{_speed(each, innocent):,.0f}" for each in redactors.values())))
    written = [each for kind in KINDS if "written" in kind for each in sentences(kind)]
    return Report(
        (f"{COUNT} sentences of each kind: share in which no letter or digit of the data is left.",),
        (Table(("what", *redactors), tuple(rows)),),
        (
            Target(
                "written numbers and addresses hidden by the rules",
                hidden(redactors["rules"], written),
                at_least=0.99,
            ),
            Target("harmless sentences changed by the rules", wrong["rules"] / len(innocent), at_most=0.01),
        ),
    )


def _redactors() -> Iterator[tuple[str, RedactorPort]]:
    yield "rules", RulesRedactor()
    model = os.environ.get("REDACTOR_MODEL", "en_core_web_sm")
    if find_spec("presidio_analyzer") and find_spec(model):
        from adapters.redaction.presidio import presidio_redactor  # noqa: PLC0415 - an extra

        yield f"presidio with {model}", presidio_redactor(RulesRedactor(), model, "en")


def _row(kind: str, cases: Sequence[Sentence], redactors: dict[str, RedactorPort]) -> tuple[str, ...]:
    return (kind, *(f"{hidden(each, cases):.1%}" for each in redactors.values()))


def _speed(redactor: RedactorPort, texts: Sequence[str]) -> float:
    text = " ".join(texts)
    began = time.process_time()
    redactor.find(text, "en")
    return len(text) / (time.process_time() - began)
