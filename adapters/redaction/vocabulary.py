"""Vocabulary of the rules: digits as they are spoken, and the words of a dictated e-mail address."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _numbered(words: str, first: int = 0, step: int = 1) -> dict[str, str]:
    return {word: str(first + step * place) for place, word in enumerate(words.split())}


_ENGLISH = {
    **_numbered(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    ),
    **_numbered("sixteen seventeen eighteen nineteen", 16),
    **_numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10),
    **dict.fromkeys(("oh", "o", "nought", "naught"), "0"),
    "niner": "9",
}
_GERMAN = {**_numbered("null eins zwei drei vier fünf sechs sieben acht neun"), "zwo": "2", "ein": "1"}
_SPANISH = _numbered("cero uno dos tres cuatro cinco seis siete ocho nueve")
_FRENCH = {**_numbered("zéro un deux trois quatre cinq six sept huit neuf"), "zero": "0"}

NUMBERS = {"en": _ENGLISH, "de": _GERMAN, "es": _SPANISH, "fr": _FRENCH}
"""Digits of number words, by language; those of German, Spanish and French are single digits."""

FACTORS = {"double": 2, "triple": 3, "treble": 3, "doppel": 2, "doble": 2}
"""Words that repeat the digit behind them."""

PAUSES = _listed("""
    um uh uhm er erm hm mm mhm äh ähm euh okay ok yes yeah yep right ja oui sí si dash hyphen minus strich
    bindestrich space stroke slash
""")
"""Words between digits that do not end a number: hesitations, answers of the listener, separators."""

UNITS = _listed("""
    dollars dollar euros euro pounds pound cents percent million billion thousand km kilometers kilometres
    miles meters metres years people users views votes times
""")
"""Words behind a number that make an amount of it."""

AT = _listed("@ at arroba arobase ät")
DOTS = _listed("dot . punkt punto point")
JOINTS = DOTS | _listed("underscore dash hyphen minus plus unterstrich bindestrich guión guion tiret _ - +")
"""Words within the part before the "at"."""

NOT_BEFORE_AT = _listed("""
    look looking looked me us you him her them it is are was be been go going visit find found available live
    online website site page here there contact email mail write reach meet
""")
"""Words that stand before the address of a web site: "look at example dot com"."""

TOP_LEVEL_DOMAINS = _listed("""
    com org net edu gov info biz io ai app dev me eu uk us ca au nz ie de at ch fr es it nl be pl pt se no dk
    fi cz in jp br mx
""")
