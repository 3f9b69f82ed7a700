#!/bin/sh
# Transcribes a recording as a job: submits it, follows it to its end, and prints the transcript. Needs curl 7.84 or later.
#
#   SERVICE=https://speech.example.com TENANT=3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11 sh jobs.sh meeting.mp3 meeting-42
#
# With KEY, it sends that API key or token. The second argument is an idempotency key: called again with it, after any failure, the script finds the same job.
set -eu
recording=$1
key=$2
service=${SERVICE:-http://127.0.0.1:8000}

call() {
  curl --silent --show-error --fail-with-body --retry 10 --retry-connrefused -H "X-Tenant-ID: $TENANT" \
    ${KEY:+-H "Authorization: Bearer $KEY"} "$@"
}

job=$(call -o /dev/null -w '%header{location}' -H "Idempotency-Key: $key" -F "file=@$recording" "$service/batch/jobs")
echo "job $service$job" >&2

# One connection for all progress; a `curl "$service$job?wait=60"` in a loop does the same with an answer for each change.
call --no-buffer "$service$job/events" | sed -un 's/^event: //p' >&2

call -H 'Accept: text/plain' "$service$job/transcript" # or text/vtt, application/x-subrip, application/json
