"""Languages: the names that Whisper's servers answer with, and their codes."""

import re

_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*")

_NAMES = """
    af afrikaans|am amharic|ar arabic|as assamese|az azerbaijani|ba bashkir|be belarusian|bg bulgarian
    bn bengali|bo tibetan|br breton|bs bosnian|ca catalan|ca valencian|cs czech|cy welsh|da danish
    de german|el greek|en english|es spanish|es castilian|et estonian|eu basque|fa persian|fi finnish
    fo faroese|fr french|gl galician|gu gujarati|ha hausa|haw hawaiian|he hebrew|hi hindi|hr croatian
    ht haitian creole|ht haitian|hu hungarian|hy armenian|id indonesian|is icelandic|it italian
    ja japanese|jw javanese|ka georgian|kk kazakh|km khmer|kn kannada|ko korean|la latin|lb luxembourgish
    lb letzeburgesch|ln lingala|lo lao|lt lithuanian|lv latvian|mg malagasy|mi maori|mk macedonian
    ml malayalam|mn mongolian|mr marathi|ms malay|mt maltese|my myanmar|my burmese|ne nepali|nl dutch
    nl flemish|nn nynorsk|no norwegian|oc occitan|pa punjabi|pa panjabi|pl polish|ps pashto|ps pushto
    pt portuguese|ro romanian|ro moldavian|ro moldovan|ru russian|sa sanskrit|sd sindhi|si sinhala
    si sinhalese|sk slovak|sl slovenian|sn shona|so somali|sq albanian|sr serbian|su sundanese|sv swedish
    sw swahili|ta tamil|te telugu|tg tajik|th thai|tk turkmen|tl tagalog|tr turkish|tt tatar|uk ukrainian
    ur urdu|uz uzbek|vi vietnamese|yi yiddish|yo yoruba|yue cantonese|zh chinese|zh mandarin
"""
_CODES = {
    name: code
    for code, _, name in (entry.strip().partition(" ") for entry in re.split(r"[|\n]", _NAMES))
    if name
}


def code_of(language: str) -> str | None:
    """Return the code of a language: "en" for "english", "en" and "en-US"; None for what is none."""
    spelt = language.strip().casefold()
    if spelt in _CODES:
        return _CODES[spelt]
    code = _CODE.fullmatch(spelt)
    return code[1] if code else None
