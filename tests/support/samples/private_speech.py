"""Speech with personal data, and speech that only looks like it; none of the data is real."""

from typing import NamedTuple

from domain.model.personal_data import PersonalDataKind


class PrivateSpeech(NamedTuple):
    """A sentence, and the part of it that must not go on."""

    before: str
    data: str
    after: str
    kind: PersonalDataKind

    @property
    def text(self) -> str:
        """Return the sentence."""
        return f"{self.before}{self.data}{self.after}"

    @property
    def redacted(self) -> str:
        """Return what may go on."""
        return f"{self.before}{self.kind.marker}{self.after}"


E, P, I, C, N = (  # noqa: E741 - one letter each, for the table
    PersonalDataKind.EMAIL,
    PersonalDataKind.PHONE,
    PersonalDataKind.IBAN,
    PersonalDataKind.CARD,
    PersonalDataKind.NUMBER,
)

PRIVATE = {
    "written e-mail": PrivateSpeech("write to ", "john.doe+x@mail.example.com", ", please", E),
    "spoken e-mail": PrivateSpeech("it is ", "john dot doe at example dot com", " thank you", E),
    "spelled e-mail": PrivateSpeech("so ", "j o h n four two at g mail dot com", " okay", E),
    "half spoken e-mail": PrivateSpeech("use ", "john_doe@example dot co dot uk", ".", E),
    "international phone": PrivateSpeech("call ", "+49 (0)89 1234 5678", " today", P),
    "national phone": PrivateSpeech("call ", "(555) 867-5309", ", please", P),
    "German phone": PrivateSpeech("unter ", "0171/2345678", " bitte", P),
    "spoken phone": PrivateSpeech("it's ", "five five five eight six seven five three oh nine", " right", P),
    "IBAN with spaces": PrivateSpeech("to ", "DE89 3704 0044 0532 0130 00", " please", I),
    "IBAN without spaces": PrivateSpeech("to ", "GB82WEST12345698765432", ".", I),
    "spelled IBAN": PrivateSpeech(
        "to ",
        "d e eight nine three seven oh four oh oh four four oh five three two oh one three oh oh oh",
        " thanks",
        I,
    ),
    "card in groups": PrivateSpeech("card ", "4111 1111 1111 1111", ", thanks", C),
    "card with dashes": PrivateSpeech("card ", "5500-0000-0000-0004", ".", C),
    "card with marks": PrivateSpeech("card ", "3782, 822463, 10005", ".", C),
    "spoken card": PrivateSpeech("card ", "four " + "one " * 14 + "one", " go", C),
    "doubled digits": PrivateSpeech("code ", "four one double two seven triple oh", " done", N),
    "spoken tens": PrivateSpeech("code ", "twenty two fifty five thirty one nineteen", " done", N),
    "digits one by one": PrivateSpeech("code ", "4 1 2 5 5 5 1", " done", N),
    "dictated with pauses": PrivateSpeech("code ", "4125 um okay 5511 [NOISE] 2", " okay done", N),
    "number of a customer": PrivateSpeech("customer ", "KD-1234567", " speaking", N),
}

HARMLESS = {
    "talk": "We met at nine at the station, and had coffee. It was nice, one for each of us.",
    "amounts": "It cost $1250000, or 250,000 euros; 1000000 people came, and 3.14159265 is pi.",
    "dates and times": "From 24.12.2025, 10:30 to 2025-12-31, in the years 1999 2004 2010.",
    "short numbers": "Room 404, page 12345; we counted one two three, double room, and 24/7.",
    "a web site": "Look at example dot com, or meet me at the shop dot dot dot",
    "marks": "Hm ... - -- @ # + ( ) [ ] * 5 @ home @john",
    "other scripts": "Grüße aus Köln, привет мир, 你好 世界, नमस्ते",
    "white space": "  two   blanks and a\u00a0no-break space ",
    "nothing": "",
}
