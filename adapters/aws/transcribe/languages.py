"""Languages of Amazon Transcribe, which names a language with its region."""

_CODES = (
    *("ab-GE", "af-ZA", "am-ET", "ar-SA", "ast-ES", "az-AZ", "ba-RU", "be-BY", "bg-BG", "bn-IN", "bs-BA"),
    *("ca-ES", "ckb-IQ", "cs-CZ", "cy-WL", "da-DK", "de-DE", "el-GR", "en-US", "es-ES", "et-ET", "eu-ES"),
    *("fa-IR", "fi-FI", "fr-FR", "ga-IE", "gd-GB", "gl-ES", "gu-IN", "ha-NG", "he-IL", "hi-IN", "hr-HR"),
    *("ht-HT", "hu-HU", "hy-AM", "id-ID", "is-IS", "it-IT", "ja-JP", "jv-ID", "ka-GE", "kab-DZ", "kk-KZ"),
    *("km-KH", "kn-IN", "ko-KR", "ky-KG", "lg-IN", "lt-LT", "lv-LV", "mhr-RU", "mi-NZ", "mk-MK", "ml-IN"),
    *("mn-MN", "mr-IN", "ms-MY", "mt-MT", "my-MM", "ne-NP", "nl-NL", "no-NO", "or-IN", "pa-IN", "pl-PL"),
    *("ps-AF", "pt-BR", "ro-RO", "ru-RU", "rw-RW", "si-LK", "sk-SK", "sl-SI", "so-SO", "sq-AL", "sr-RS"),
    *("su-ID", "sv-SE", "sw-KE", "ta-IN", "te-IN", "th-TH", "tl-PH", "tr-TR", "tt-RU", "ug-CN", "uk-UA"),
    *("uz-UZ", "vi-VN", "wo-SN", "zh-CN", "zu-ZA"),
)
CODES = {**{code.partition("-")[0]: code for code in _CODES}, "yue": "zh-HK"}
"""Amazon's code for each language that a caller may name: the region in which most recordings are made."""

_LANGUAGES = {code: language for language, code in CODES.items()}


def language_of(code: str) -> str:
    """Return the language of Amazon's code: "en" for "en-AU"."""
    return _LANGUAGES.get(code, code.partition("-")[0])
