"""Error codes of AWS, by what they say of the call."""

REJECTED_CODES = frozenset(
    {
        "InvalidArgument",
        "MalformedDetail",
        "RedactionFailure",
        "ValidationException",  # of a call with one entry, so it is about this one
    }
)
"""Codes for a fault of the event itself. All others, unknown ones included, may be transient."""

TOO_LARGE_CODES = frozenset({"RequestEntityTooLarge", "413"})

PERMISSION_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AWS.SimpleQueueService.AccessDenied",
        "InvalidAccountIdException",
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
