"""Vocabulary of the rules for US English; every list is closed on purpose."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


NOISE_NAMES = _listed("""
    sil silence eps unk blank pad noise nsn spn speech spoken_noise vocalized-noise vocalized_noise
    background background_noise blank_audio no_speech inaudible unintelligible crosstalk cough coughing
    laugh laughs laughter laughing breath breathing breathe inhale exhale sigh smack lipsmack click
    sneeze sniff throat music applause beep beeps beeping buzzer buzzing applauding clapping clap
    cheering cheers chuckle chuckles chuckling giggle giggles giggling coughs sighs sighing sneezes
    sniffs gasp gasps gasping groan groans groaning grunt grunts grunting moan moans moaning sob sobs
    sobbing crying scream screams screaming shouting whispers whispering whistle whistles whistling hum
    humming singing footsteps typing clicking knocking ringing static chatter indistinct foreign
""")
"""Names of noises between brackets: "[NOISE]", "<sil>", "++COUGH++", "(applause)", "*laughs*"."""

NOISE_QUALIFIERS = _listed("""
    upbeat soft gentle dramatic tense sad loud slow quiet light playing plays continues fades stops
    starts theme instrumental electronic piano guitar rock orchestral song lyrics audience crowd people
    person man woman speaker speaking talking language clears clearing phone telephone bell bells door
    dog dogs barking birds chirping engine wind rain water radio tv heavy deep long
""")
"""Words beside the name of a noise: "[upbeat music playing]", "(clears throat)", "(foreign language)"."""

STUTTERED = _listed("""
    a an the i he she we they my your our their this these and or but if as because of to in on at by for from
    with into about what when where who why how would could should i'm i'll i've i'd he's she's we're we've
    we'll they're they've they'll it's there's what's
""")
"""Function words that are never repeated on purpose.

Left out are words that may occur twice in good English: "had had", "that that", "told you you", "like it it",
"gave her her", "what it is is", "so so", "there there".
"""

NEVER_LAST = _listed("a an the and or but because if my your our their")
"""Words that may precede a pause, but never end a sentence."""

FIRST_PERSON = _listed("i'm i'll i've i'd")

CALENDAR_NAMES = _listed("""
    monday tuesday wednesday thursday friday saturday sunday
    january february april june july august september october november december
""")
"""Names that always have a capital; "march" and "may" are verbs more often than months."""

NUMBERS = _listed("""
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million
    billion trillion double triple dozen half quarter first second third fourth fifth sixth seventh eighth
    ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth
    twentieth thirtieth hundredth thousandth
""")

ABBREVIATIONS = _listed("""
    al capt co col conn corp cr dept dr ed etc fig gen gov hon inc jr lt ltd mass messrs mr mrs ms mssrs mt
    pres prof rep rev sen sgt sr st vol vs
""")
"""Words whose full stop ends no sentence; initials ("u.s.", "p.m.") are known by their shape."""
