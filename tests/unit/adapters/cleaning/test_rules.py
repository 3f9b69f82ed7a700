import pytest

from adapters.cleaning.rules import SENTENCE_PAUSE_SECONDS, RulesCleaner
from domain.model.transcripts import Provenance, Segment, Transcript
from tests.contracts.cleaner_port import CleanerPortContract, heard

SHORT, LONG = SENTENCE_PAUSE_SECONDS / 2, SENTENCE_PAUSE_SECONDS

HESITATIONS = [
    ("um i think uh we should go", "I think we should go."),
    ("ummm let me see uhhh yes", "Let me see yes."),
    ("hmm mm mhm erm okay", "Okay."),
    ("i er need a uhm ticket", "I need a ticket."),
    ("Um, so I went home. Uh, then he called.", "So I went home. Then he called."),
    ("I think, um, we should go.", "I think, we should go."),
    ("I was there um. Then I left.", "I was there. Then I left."),
    ("Is it ready, uh? Good.", "Is it ready? Good."),
    ("oh yeah uh-huh ah i see huh", "Oh yeah uh-huh ah I see huh."),
    ("to err is human", "To err is human."),
    ("on monday morning in march or april", "On Monday morning in march or April."),
    ("we took him to the ER on monday", "We took him to the ER on Monday."),
    ("a thirty five mm lens mm and a 50 mm one", "A thirty five mm lens and a 50 mm one."),
    ("i need five, mm, six", "I need five, six."),
    ('He wrote "um" twice.', 'He wrote "um" twice.'),
    ("um uh hmm", ""),
]
STUTTERS = [
    ("the the cat sat", "The cat sat."),
    ("i i i don't know", "I don't know."),
    ("w- w- what did you say", "What did you say."),
    ("st- stop at the sta- station", "Stop at the station."),
    ("and and uh and then we left", "And then we left."),
    ("I, I think it's, it's fine.", "I think it's fine."),
    ("what what what do you mean", "What do you mean."),
    ("he said re- and he left", "He said re- and he left."),
    ("twenty- twenty-one people", "Twenty- twenty-one people."),
    ("(the the) end", "(The) end."),
]
REPEATED_PHRASES = [
    ("i want to i want to go", "I want to go."),
    ("go to the to the to the station", "Go to the station."),
    ("thank you thank you very much bye", "Thank you very much bye."),
    ("do you do you know how to how to get there", "Do you know how to get there."),
    ("i i want i want to go", "I want to go."),
    ("We could, we could try. We could.", "We could try. We could."),
    ("and then i thought and then um i thought no", "And then I thought no."),
]
SAID_ON_PURPOSE = [
    ("one zero zero zero one nine oh two", "One zero zero zero one nine oh two."),
    ("nine nine seven", "Nine nine seven."),
    ("two of clubs two of clubs", "Two of clubs two of clubs."),
    ("double oh double oh seven", "Double oh double oh seven."),
    ("call 555 555 12 12", "Call 555 555 12 12."),
    ("he had had enough of that that day", "He had had enough of that that day."),
    ("it was very very good bye bye", "It was very very good bye bye."),
    ("no no no no i told you you should", "No no no no I told you you should."),
    ("my name is b a b a", "My name is b a b a."),
    ("I know. I know.", "I know. I know."),
    ('He said "he said" twice.', 'He said "he said" twice.'),
]
NOISE = [
    ("<s> hello <sil> world </s>", "Hello world."),
    ("[NOISE] hello [COUGH] there [SPEECH]", "Hello there."),
    ("++UM++ hello ++BREATH++ there [UH]", "Hello there."),
    ("<unk> the(2) cat and(2) a(3) dog <UNK>", "The cat and a dog."),
    ("THE(2) CAT", "THE CAT."),
    ("<|en|> hello<|0.00|>", "Hello."),
    ("<s>hello</s>", "Hello."),
    ("the file[s] and the <b>bold</b> [sic] text", "The file[s] and the <b>bold</b> [sic] text."),
    ("see 3(2) and Section(4)", "See 3(2) and Section(4)."),
    ("[NOISE] <sil> ++COUGH++", ""),
]
WHISPERS_TAGS = [
    ("[Music]", ""),
    ("[BLANK_AUDIO]", ""),
    ("[ Silence ] Hello there. [ Inaudible ]", "Hello there."),
    ("(applause) Thank you all. (audience laughing)", "Thank you all."),
    ("*laughs* I know. **sighs** Well.", "I know. Well."),
    ("[upbeat music playing] Welcome.", "Welcome."),
    ("(speaking foreign language) And so on.", "And so on."),
    ("♪ La la la ♪ Hello. ♪♪", "La la la Hello."),
    ("([music]) Hello.", "Hello."),
    ("The list (the long one) is [sic] here.", "The list (the long one) is [sic] here."),
    ("Two * three * four.", "Two * three * four."),
    ("A man (speaking) left.", "A man (speaking) left."),
]
STAMMERS = [
    ("I-I don't know.", "I don't know."),
    ("Th-the w-w-what is it?", "The what is it?"),
    ("I re-read the e-mail about the T-shirt, bye-bye.", "I re-read the e-mail about the T-shirt, bye-bye."),
]
LOOPS = [
    ("I'm sorry. " * 12 + "Good night.", "I'm sorry. Good night."),
    ("okay " * 20 + "then", "Okay then."),
    ("So, you know what I mean, " * 5 + "right.", "So, you know what I mean, right."),
    ("Go on, go on, go on. " * 4 + "Stop.", "Go on. Stop."),
    ("No, no, no, no!", "No, no, no, no!"),
    ("Ha ha ha ha ha ha ha.", "Ha ha ha ha ha ha ha."),
    ("one " * 12 + "nine", "One one one one one one one one one one one one nine."),
    ("room two, " * 6 + "please", "Room two, room two, room two, room two, room two, room two, please."),
    ("b a " * 6 + "is what I spell", "B a b a b a b a b a b a is what I spell."),
]
SPACING = [
    ("  hello \t world \n", "Hello world."),
    ("hello , world . how are you ?", "Hello, world. How are you?"),
    ("hello, [NOISE] , world.", "Hello, world."),
    (". hello .", "Hello."),
    ("Bonjour\u00a0! Ça va\u202f?", "Bonjour\u00a0! Ça va\u202f?"),
]
CASE_AND_STOPS = [
    ("go forward ten meters", "Go forward ten meters."),
    ("i'm sure i'll do what i've said i'd do", "I'm sure I'll do what I've said I'd do."),
    ("so do i", "So do I."),
    ("we know i’m it’s it’s fine", "We know I’m it’s fine."),  # noqa: RUF001 - curly apostrophes
    ("i work at IBM and i like it", "I work at IBM and I like it."),
    ("hello there. i am fine. and you?", "Hello there. I am fine. And you?"),
    ("well... maybe", "Well... maybe."),
    ("wait, what,", "Wait, what."),
    ("we meet at nine a.m. in the u.s.", "We meet at nine a.m. in the u.s."),
    ("sunday is the best part of the week", "Sunday is the best part of the week."),
    ('"really?" she said', '"Really?" she said.'),
]
ALREADY_WRITTEN = [
    "Dr. Smith moved to the U.S. and paid $3.5 million, i.e. too much.",
    "Write to bob@example.com or see https://example.com/a?b=1,2&c=um.",
    "iPhone sales rose. iPad sales fell.",
    "Don't. The Joneses' car isn't John's; it's O'Brien's.",
    "Ala i kot. Kot i Ala.",
    "I ragazzi e i cani sono qui.",
    "Grüße aus Köln! Привет, мир! ¿Cómo estás?",
    "你好,世界。再见!",
    "مرحبا بالعالم؟",
    "Prices: 1,000.50 vs. 2.000,50 – up 3 %.",  # noqa: RUF001 - an en dash belongs there
    "NASA, IBM and AT&T… all there.",
    "The weather is going to be nice today. Please open the window and close the door.",
    "So, uh-huh, the ER's MRI came back... and Dr. O'Neil said: don't worry!",
    "“I can’t,” she said. “I won’t.”",  # noqa: RUF001 - typographic quotes
]


class TestRulesCleaner(CleanerPortContract):
    @pytest.fixture
    def cleaner(self) -> RulesCleaner:
        return RulesCleaner()


def clean(*texts: str) -> str:
    return RulesCleaner().readable_text(heard(*texts))


def spoken(*pieces: tuple[float, str]) -> str:
    """Clean segments with a pause before each."""
    segments, now = [], 0.0
    for pause, text in pieces:
        segments.append(Segment(start=now + pause, end=now + pause + 1, text=text))
        now += pause + 1
    return RulesCleaner().readable_text(Transcript(duration_seconds=now, segments=tuple(segments)))


RULES = {
    "hesitations are left out and answers are not": HESITATIONS,
    "stutters are said once": STUTTERS,
    "repeated phrases are said once": REPEATED_PHRASES,
    "what is repeated on purpose stays": SAID_ON_PURPOSE,
    "tags and pronunciation suffixes are left out": NOISE,
    "tags and notes as Whisper writes them are left out, and real brackets are not": WHISPERS_TAGS,
    "stammered words are said once": STAMMERS,
    "loops are said once": LOOPS,
    "words stand one space apart and marks behind their word": SPACING,
    "sentences begin with a capital and end with a stop": CASE_AND_STOPS,
}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [pytest.param(*pair, id=f"{rule}: {pair[0]}") for rule, pairs in RULES.items() for pair in pairs],
)
def test_a_text_is_cleaned_by_its_rule(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@pytest.mark.parametrize("text", ALREADY_WRITTEN)
def test_written_text_is_not_touched(text: str) -> None:
    assert clean(text) == text


def test_a_long_pause_ends_a_sentence() -> None:
    assert spoken((0, "the door is open"), (LONG, "close it")) == "The door is open. Close it."


def test_a_segment_after_a_short_pause_continues_the_sentence() -> None:
    assert spoken((0, "the door is"), (SHORT, "open")) == "The door is open."


def test_silence_adds_up_to_no_pause_across_a_hesitation() -> None:
    assert spoken((0, "the door"), (SHORT, "um"), (SHORT, "is open")) == "The door is open."


def test_a_long_pause_beside_a_noise_ends_a_sentence() -> None:
    assert spoken((0, "come in"), (SHORT, "[COUGH]"), (LONG, "sit down")) == "Come in. Sit down."


def test_a_pause_behind_an_article_ends_no_sentence() -> None:
    assert spoken((0, "please open the"), (LONG, "window")) == "Please open the window."


def test_a_comma_before_a_long_pause_becomes_a_stop() -> None:
    assert spoken((0, "first, the door,"), (LONG, "then the window")) == "First, the door. Then the window."


def test_an_abbreviation_before_a_long_pause_needs_no_second_stop() -> None:
    assert spoken((0, "at nine a.m."), (LONG, "bring it")) == "At nine a.m. Bring it."


def test_an_engine_that_ends_sentences_is_left_to_do_so() -> None:
    assert spoken((0, "Open the door. Then"), (LONG, "close it")) == "Open the door. Then close it"


def test_scripts_without_capitals_get_no_full_stop() -> None:
    assert spoken((0, "你好"), (LONG, "世界")) == "你好 世界"


def test_a_stutter_goes_on_across_a_short_pause() -> None:
    assert spoken((0, "i want to"), (SHORT, "i want to go")) == "I want to go."


def test_an_answer_that_repeats_the_question_after_a_long_pause_stays() -> None:
    assert (
        spoken((0, "the regular one"), (LONG, "the regular one please"))
        == "The regular one. The regular one please."
    )


def test_another_channel_begins_a_sentence_although_both_speak_at_once() -> None:
    segments = (
        Segment(start=0.0, end=3.0, text="how can i help you", channel=1),
        Segment(start=2.5, end=4.0, text="i lost my card", channel=2),
        Segment(start=4.1, end=5.0, text="yesterday", channel=2),
    )

    cleaned = RulesCleaner().readable_text(Transcript(duration_seconds=5.0, segments=segments))

    assert cleaned == "How can I help you. I lost my card yesterday."


def test_a_dialogue_as_pocketsphinx_hears_it() -> None:
    text = spoken(
        (2.2, "<s> hi i'd(2) like to buy a </s>"),
        (0.1, "a speaker and i'm wondering [NOISE] whether you could help me"),
        (1.4, "um which color would you like we have blue and"),
        (0.6, "and black"),
        (1.3, "[SPEECH]"),
        (0.2, "uh let's go with the the black one"),
        (1.4, "okay sure"),
        (0.1, "would you like the black one"),
        (1.0, "yes my number is one zero zero one"),
    )

    assert text == (
        "Hi I'd like to buy a speaker and I'm wondering whether you could help me. "
        "Which color would you like we have blue and black. Let's go with the black one. "
        "Okay sure would you like the black one. Yes my number is one zero zero one."
    )


def test_the_pause_that_ends_a_sentence_can_be_chosen() -> None:
    cleaner = RulesCleaner(sentence_pause_seconds=1.5)

    assert cleaner.readable_text(heard("the door is", "open")) == "The door is open."


def test_the_first_copy_of_a_phrase_keeps_its_capitals_and_the_last_its_punctuation() -> None:
    assert clean("in New York, in new york. Good.") == "In New York. Good."


@pytest.mark.parametrize(
    ("text", "is_doubtful", "expected"),
    [
        ("Thank you for watching.", True, "Hello."),
        ("Thanks for watching!", True, "Hello."),
        ("Thank you for watching.", False, "Thank you for watching. Hello."),
        ("Thank you for watching us.", True, "Thank you for watching us. Hello."),
    ],
)
def test_closing_words_of_films_are_left_out_where_the_sound_contradicts_them(
    text: str, expected: str, *, is_doubtful: bool
) -> None:
    segments = (
        Segment(start=0.0, end=4.0, text=text, is_doubtful=is_doubtful),
        Segment(start=5.0, end=6.0, text="Hello."),
    )

    assert RulesCleaner().readable_text(Transcript(duration_seconds=6.0, segments=segments)) == expected


def test_a_tag_may_begin_in_one_segment_and_end_in_the_next() -> None:
    assert clean("Welcome. [upbeat", "music] To the show.") == "Welcome. To the show."


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, "Geht sieben Uhr."),
        ("en", "Geht sieben Uhr."),
        ("de", "Er geht um sieben Uhr."),
        ("nl", "Er geht um sieben Uhr."),
    ],
)
def test_words_of_other_languages_are_no_hesitations(language: str | None, expected: str) -> None:
    transcript = Transcript(
        duration_seconds=2.0,
        segments=(Segment(start=0.0, end=2.0, text="Hm, er geht um sieben Uhr."),),
        provenance=Provenance(engine="faster-whisper", model="small", language=language),
    )

    assert RulesCleaner().readable_text(transcript) == expected
