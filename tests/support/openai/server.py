"""The server: answers by default as it should, and the next requests as a test says."""

import json
import platform
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock

from tests.support.doubles.speech import ALPHABET
from tests.support.harness.in_background import in_background
from tests.support.openai.forms import TranscriptionRequest, parse_form

platform.platform()  # the SDK asks for it, and Python starts `uname` once to find out: not during a test

MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_FILE_SECONDS = 1_400.0
KEY = "sk-made-up-0123456789abcdefghij"


@dataclass(frozen=True)
class Reply:
    """One answer, or the lack of one."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    declared_length: int | None = None  # where it is not the body's; the connection ends behind the body
    after: Event | None = None  # it comes when this is set


def reply(answer: object, status: int = 200, **headers: str) -> Reply:
    """Encode an answer."""
    return Reply(
        json.dumps(answer).encode(), status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def refusal(status: int, code: str, message: str = "Refused.", **headers: str) -> Reply:
    """Encode an error as OpenAI does."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return reply({"error": error}, status, **headers)


ChatRequest = dict[str, object]
Transcribe = Callable[[TranscriptionRequest], Reply]
Chat = Callable[[str], Reply]
"""Answers the text of the last message."""


class OpenAiServer(ThreadingHTTPServer):
    """Server on a free port of this machine.

    `transcribe` and `chat` are its ways; `next` holds replies for the next requests, before those.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models: tuple[str, ...] | None = ("gpt-transcribe", "whisper-1")  # None: it has no list
        self.transcribe: Transcribe = transcribed
        self.chat: Chat = completion
        self.next: deque[Reply | Transcribe] = deque()
        self.requests: list[TranscriptionRequest] = []
        self.chats: list[ChatRequest] = []
        self.model_lists = 0
        self._at_work = 0
        self._counting = Lock()
        self.most_at_work = 0
        self.stopped = Event()

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a request that takes time; lists of models take none."""
        with self._counting:
            self._at_work += 1
            self.most_at_work = max(self.most_at_work, self._at_work)
        try:
            yield
        finally:
            with self._counting:
                self._at_work -= 1

    def answer(self, path: str, headers: Message, body: bytes) -> Reply:
        """Answer a request whose key is the right one."""
        if headers.get("Authorization") != f"Bearer {KEY}":
            return refusal(
                401, "invalid_api_key", f"Incorrect API key provided: {headers.get('Authorization')}."
            )
        if path == "/v1/models":
            return self._list()
        if path == "/v1/chat/completions":
            return self._chat(json.loads(body))
        if path != "/v1/audio/transcriptions":
            return Reply(b"<html>not here</html>", 404, "text/html")
        return self._transcription(parse_form(headers["Content-Type"], body))

    def _list(self) -> Reply:
        self.model_lists += 1
        if self.models is None:
            return Reply(b"not here", 404, "text/plain")
        return reply({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    def _transcription(self, request: TranscriptionRequest) -> Reply:
        self.requests.append(request)
        if self.next:
            following = self.next.popleft()
            return following if isinstance(following, Reply) else following(request)
        if len(request.file) > MAX_FILE_BYTES:
            return refusal(413, "file_too_large")
        if request.seconds > MAX_FILE_SECONDS:
            return refusal(400, "audio_too_long")
        if self.models is not None and request.field("model") not in self.models:
            return refusal(404, "model_not_found")
        return self.transcribe(request)

    def _chat(self, request: ChatRequest) -> Reply:
        self.chats.append(request)
        if self.next:
            following = self.next.popleft()
            assert isinstance(following, Reply)
            return following
        messages = request["messages"]
        assert isinstance(messages, list)
        return self.chat(messages[-1]["content"])


def transcribed(request: TranscriptionRequest) -> Reply:
    """Hear two words a second, which depend on the samples alone."""
    return reply(answer_of(request, words_in(request)))


def words_in(request: TranscriptionRequest) -> list[str]:
    """Return two words a second, which depend on the samples alone."""
    first = zlib.crc32(request.samples)
    return [ALPHABET[(first + number) % len(ALPHABET)] for number in range(int(2 * request.seconds))]


def answer_of(request: TranscriptionRequest, words: list[str]) -> dict[str, object]:
    """Build a faultless answer in the format that is asked for; every ten words are a segment."""
    text = " ".join(words)
    if request.field("response_format") != "verbose_json":
        return {"text": text}
    length = request.seconds / max(len(words), 1)
    timed = [
        {"word": word, "start": place * length, "end": (place + 1) * length}
        for place, word in enumerate(words)
    ]
    segments = [
        {
            "id": start // 10,
            "start": start * length,
            "end": (start + len(words[start : start + 10])) * length,
            "text": " " + " ".join(words[start : start + 10]),
        }
        for start in range(0, len(words), 10)
    ]
    return {
        "task": "transcribe",
        "language": "english",
        "duration": request.seconds,
        "text": text,
        "segments": segments,
        "words": timed,
    }


def completion(text: str | None, *, finish_reason: str = "stop") -> Reply:
    """Build the answer of a chat."""
    message = {"role": "assistant", "content": text}
    return reply({"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}]})


class _Handler(BaseHTTPRequestHandler):
    server: OpenAiServer

    def do_GET(self) -> None:
        self._send(self.server.answer(self.path, self.headers, b""))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.working():
            found = self.server.answer(self.path, self.headers, body)
            if found.after is not None:
                found.after.wait(60)
        self._send(found)

    def _send(self, found: Reply) -> None:
        length = len(found.body) if found.declared_length is None else found.declared_length
        try:
            self.send_response(found.status)
            for name, value in {"Content-Type": found.content_type, **found.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(found.body)
        except ConnectionError:
            self.close_connection = True  # the caller gave up

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def openai_server() -> Iterator[OpenAiServer]:
    """Run a server while the context lasts."""
    with in_background(OpenAiServer()) as server:
        yield server
