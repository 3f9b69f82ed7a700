# syntax=docker/dockerfile:1
FROM python:3.11-slim AS build
WORKDIR /app
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

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 transcripts
COPY --from=build /venv /venv
# Uploads are spooled to disk, not to memory, and events wait on disk for the bus: mount volumes here whose size you
# choose, or name a PostgreSQL for the events. No VOLUME line: some platforms refuse it.
RUN install -d -o transcripts -m 0700 /var/spool/batch-transcription /var/lib/batch-transcription
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PORT=8000 \
    SPOOL_DIR=/var/spool/batch-transcription \
    DATABASE_URL=sqlite:////var/lib/batch-transcription/transcripts.db
USER transcripts
EXPOSE 8000
# exec form: SIGTERM reaches the service, which finishes what is in flight.
CMD ["transcripts", "serve", "--host", "0.0.0.0"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/live', timeout=2)"]
