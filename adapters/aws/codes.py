"""Error codes of AWS, by what they say of the call."""

import re

REJECTED_CODES = frozenset(
    {
        "InvalidArgument",
        "InvalidParameter",  # of SNS
        "MalformedDetail",
        "ParameterValueInvalid",  # of SNS
        "RedactionFailure",
        "ValidationException",  # of a call with one entry, so it is about this one
    }
)
"""Codes for a fault of the event itself. All others, unknown ones included, may be transient."""

TOO_LARGE_CODES = frozenset({"BatchRequestTooLong", "RequestEntityTooLarge", "413"})

SIZE_CODES = frozenset({"InvalidParameter", "ValidationException"})
"""Codes that concern the size where the message says so."""

TOO_LARGE_MESSAGE = re.compile(
    r"[^']*\b(size\b[^']*\b(limit|exceed|maximum)|message too long)", re.IGNORECASE
)
"""Beginning of an error for size, as AWS and LocalStack word it before any value they quote: "Total size of
the entries in the request is over the limit." of EventBridge, "Invalid parameter: Message too long" of SNS.
"""

ABOUT_THE_TOPIC = re.compile(r"\bTopicArn\b")
"""Name in an InvalidParameter of SNS that concerns every event, and not the one that was sent."""

PERMISSION_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AWS.SimpleQueueService.AccessDenied",
        "AuthorizationError",  # of SNS
        "InvalidAccountIdException",
        "KMSAccessDenied",  # of SNS, about the topic's key
        "NotAuthorizedForDetailTypeException",
        "NotAuthorizedForSourceException",
        "UnauthorizedOperation",
    }
)

CREDENTIAL_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",  # of S3
        "InvalidClientTokenId",
        "InvalidSecurity",  # of SNS
        "InvalidSignatureException",
        "InvalidToken",  # of S3
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClient",
        "UnrecognizedClientException",
    }
)

THROTTLING_CODES = frozenset(
    {
        "LimitExceededException",  # of Transcribe: too many jobs or calls
        "RequestLimitExceeded",
        "SlowDown",  # of S3
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

REFUSED_CODES = frozenset({"BadRequestException", "EntityTooLarge", "InvalidRequest"})
"""Codes with which Transcribe and S3 refuse one recording; all others concern every recording."""

UNREADABLE_CODES = frozenset(
    {"AccessDenied", "AllAccessDisabled", "InvalidObjectState", "NoSuchBucket", "NoSuchKey", "403", "404"}
)
"""Codes with which S3 refuses one object for good: absent, archived, or not for these credentials."""
