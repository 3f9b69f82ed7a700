"""Minimal IAM policies for the commands, one for each role.

AWS's Service Authorization Reference lists the actions and the resources to which each can be restricted. The
action on a single message also allows a batch, and `s3:PutObject` the parts of an upload.
"""

from collections.abc import Iterator

from adapters.aws.iam.bus import guarding_the_bus, managing_the_rules, reading_the_bus, replaying
from adapters.aws.iam.resources import Condition, PolicyResources, S3Place, folder, literally
from adapters.aws.iam.statements import (
    EVERYTHING,
    Statement,
    allow,
    document,
    publishing,
    reading_the_key,
    using_the_key,
)
from adapters.aws.iam.topic import (
    guarding_the_topic,
    managing_the_topic,
    publishing_to_the_topic,
    reading_the_topic,
)
from adapters.aws.s3.payload_store import PROBED_KEY
from adapters.aws.s3.recording_store import PROBE_PREFIX
from adapters.aws.transcribe.order import KEY_PREFIX as SOUND_PREFIX
from ports.payload_store_port import KEY_PREFIX

Json = dict[str, object]

HANDLING_MESSAGES = (
    "sqs:GetQueueUrl",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
)


def publisher(on: PolicyResources) -> Json:
    """Build the policy for `serve`, `process` and `relay`.

    The statements `RouteGuard…` may be removed: then events are published even while the route is broken.
    """
    return document(
        *_publishing(on, "PublishEvents"),
        *_payloads(on, "StoreLargeTranscripts", "s3:PutObject"),
        *_transcribing(on),
        *_keeping_recordings(on),
        *_fetching_recordings(on),
        *(guarding_the_topic(on) if on.has_topic else guarding_the_bus(on)),
    )


def consumer(on: PolicyResources) -> Json:
    """Build the policy for `consume`."""
    return document(
        allow("ConsumeTheQueue", HANDLING_MESSAGES, on.queues),
        *_payloads(on, "ReadLargeTranscripts", "s3:GetObject"),
        *_telling_erased(on),
        *using_the_key(on, "DecryptMessages", "kms:Decrypt"),
    )


def operator(on: PolicyResources) -> Json:
    """Build the policy for `status`, `verify`, `doctor`, `dlq` and `replay`."""
    return document(
        *_reading_the_route(on),
        *_publishing(on, "PublishTestEvents"),
        allow("ReadQueuesAndHandleMessages", HANDLING_MESSAGES, on.all_queues),
        allow("PutMessagesBackIntoTheQueue", ["sqs:SendMessage"], on.queues),
        allow(
            "MoveDeadLetters",
            ["sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:CancelMessageMoveTask"],
            on.dead_letter_queues,
        ),
        *replaying(on),
        *_probing_payloads(on),
        *_probing_transcribe(on),
        *_probing_recordings(on),
        *_archiving_letters(on),
        *using_the_key(on, "DecryptAndEncryptMessages", "kms:Decrypt", "kms:GenerateDataKey"),
    )


def provisioner(on: PolicyResources) -> Json:
    """Build the policy for `provision`, with all its options, and `teardown`."""
    return document(
        *_reading_the_route(on),
        allow(
            "ManageQueues",
            [
                "sqs:GetQueueUrl",
                "sqs:GetQueueAttributes",
                "sqs:CreateQueue",
                "sqs:SetQueueAttributes",
                "sqs:DeleteQueue",
            ],
            on.all_queues,
        ),
        allow("ListSourcesOfTheDeadLetterQueue", ["sqs:ListDeadLetterSourceQueues"], on.dead_letter_queues),
        *(managing_the_topic(on) if on.has_topic else managing_the_rules(on)),
    )


def eraser(on: PolicyResources) -> Json:
    """Build the policy for `erase`: no other role may delete versions of objects, or large transcripts.

    There must be a bucket of large transcripts or of recordings.
    """
    places = [S3Place(on.payload_bucket, KEY_PREFIX)] if on.payload_bucket is not None else []
    places += [on.recordings] if on.recordings is not None else []
    buckets = list(dict.fromkeys(on.in_s3(place.bucket) for place in places))
    return document(
        allow(
            "EraseObjects",
            ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            [on.objects(place) for place in places],
        ),
        allow("ListTheirVersions", ["s3:ListBucketVersions"], buckets),
    )


def _publishing(on: PolicyResources, sid: str) -> Iterator[Statement]:
    if on.has_topic:
        yield from publishing_to_the_topic(on, sid)
    else:
        yield publishing(on, sid)


def _reading_the_route(on: PolicyResources) -> Iterator[Statement]:
    yield from reading_the_topic(on) if on.has_topic else reading_the_bus(on)
    yield from reading_the_key(on)


def _payloads(on: PolicyResources, sid: str, action: str) -> Iterator[Statement]:
    if on.payload_bucket is not None:
        yield allow(sid, [action], [on.objects(S3Place(on.payload_bucket, KEY_PREFIX))])


def _telling_erased(on: PolicyResources) -> Iterator[Statement]:
    """Allow what makes S3 answer NoSuchKey, and not AccessDenied, for transcripts that were erased."""
    if on.payload_bucket is not None:
        yield allow("TellErasedTranscripts", ["s3:ListBucket"], [on.in_s3(on.payload_bucket)])


def _probing_payloads(on: PolicyResources) -> Iterator[Statement]:
    """Allow the doctor's probe: a part of an upload that does not exist, under a key of its own."""
    if on.payload_bucket is not None:
        probed = on.in_s3(f"{on.payload_bucket}/{PROBED_KEY}")
        yield allow("ProbeTheBucketOfLargeTranscripts", ["s3:PutObject"], [probed])


def _transcribing(on: PolicyResources) -> Iterator[Statement]:
    """Allow jobs with sound and output in one bucket, which Transcribe reads and writes for its caller."""
    if on.transcribe_bucket is not None:
        actions = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        yield allow("KeepSoundForJobs", actions, [on.objects(S3Place(on.transcribe_bucket, SOUND_PREFIX))])
        condition: Condition = {"StringEquals": {"transcribe:OutputBucketName": on.transcribe_bucket}}
        yield allow("StartJobs", ["transcribe:StartTranscriptionJob"], [EVERYTHING], condition)
        actions = ["transcribe:GetTranscriptionJob", "transcribe:DeleteTranscriptionJob"]
        yield allow("FollowJobs", actions, [on.transcription_jobs])


def _probing_transcribe(on: PolicyResources) -> Iterator[Statement]:
    """Allow the doctor's probe, which transcribes nothing."""
    if on.transcribe_bucket is not None:
        yield allow("ListJobs", ["transcribe:ListTranscriptionJobs"], [EVERYTHING])
        yield allow("SeeTheBucketOfJobs", ["s3:ListBucket"], [on.in_s3(on.transcribe_bucket)])


def _keeping_recordings(on: PolicyResources) -> Iterator[Statement]:
    """Allow the store of recordings.

    S3 says "access denied" of a missing object to a caller that may not list the bucket, and does so, too,
    where the permission to list has a condition on the prefix.
    """
    if on.recordings is not None:
        actions = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        yield allow("KeepRecordings", actions, [on.objects(on.recordings)])
        yield allow("ListRecordings", ["s3:ListBucket"], [on.in_s3(on.recordings.bucket)])


def _fetching_recordings(on: PolicyResources) -> Iterator[Statement]:
    if on.sources:
        yield allow("FetchRecordings", ["s3:GetObject"], [on.objects(place) for place in on.sources])


def _probing_recordings(on: PolicyResources) -> Iterator[Statement]:
    """Allow the doctor's probe, an object that it deletes again."""
    if on.recordings is not None:
        bucket, prefix = on.recordings
        probes = on.in_s3(f"{bucket}/{literally(folder(prefix))}{PROBE_PREFIX}*")
        actions = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]
        yield allow("ProbeTheStoreOfRecordings", actions, [probes])


def _archiving_letters(on: PolicyResources) -> Iterator[Statement]:
    if on.letters is not None:
        yield allow("ArchiveDeadLetters", ["s3:PutObject", "s3:GetObject"], [on.objects(on.letters)])
        prefix = literally(folder(on.letters.prefix))
        condition: Condition = {"StringEquals": {"s3:prefix": prefix}} if prefix else {}
        bucket = on.in_s3(on.letters.bucket)
        yield allow("ListArchivedDeadLetters", ["s3:ListBucket"], [bucket], condition)
