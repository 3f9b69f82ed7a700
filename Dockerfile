# syntax=docker/dockerfile:1
# Python 3.13: the newest for which every package has a wheel, on x86-64 and aarch64 (docs/adr/0021).
FROM python:3.13-slim AS build
WORKDIR /app
# Everything that the extras server, speech and openai need, with hashes.
COPY requirements.txt ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY ports ports
COPY adapters adapters
COPY bootstrap bootstrap
COPY entrypoints entrypoints
RUN /venv/bin/pip install --no-cache-dir --no-deps .
# For a GPU: --build-arg CUDA=yes adds NVIDIA's libraries (1.3 GB); run it with --gpus all.
ARG CUDA=no
COPY requirements-cuda.txt ./
RUN if [ "$CUDA" = yes ]; then \
    /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-cuda.txt; fi
# Another model: --build-arg TRANSCRIBER_MODEL=small.en. It is fetched now, so that a container starts offline.
ARG TRANSCRIBER_MODEL=tiny.en
ENV HF_HOME=/venv/models
RUN mkdir -p /venv/models && /venv/bin/transcripts models fetch "$TRANSCRIBER_MODEL"

FROM python:3.13-slim
ARG TRANSCRIBER_MODEL=tiny.en
RUN useradd --system --create-home --uid 10001 transcripts
COPY --from=build /venv /venv
# Events wait here for the bus, and uploads for their transcription: mount a volume whose size you choose. No VOLUME
# line: some platforms refuse it.
RUN install -d -o transcripts -m 0700 /var/lib/batch-transcription
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PORT=8000 \
    HF_HOME=/venv/models \
    HF_HUB_OFFLINE=1 \
    TRANSCRIBER_MODEL=$TRANSCRIBER_MODEL \
    DATA_DIR=/var/lib/batch-transcription
USER transcripts
WORKDIR /var/lib/batch-transcription
EXPOSE 8000
# exec form: SIGTERM reaches the service, which finishes what is in flight.
CMD ["transcripts", "serve", "--host", "0.0.0.0"]
# http.client, which asks no proxy: HTTP_PROXY may be set in the container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import http.client, os; http = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=2); http.request('GET', '/health/live'); raise SystemExit(http.getresponse().status != 200)"]
