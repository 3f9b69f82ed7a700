"""Names of problems, by which HTTP answers, failed events and metrics call an error (RFC 9457)."""


def problem_name(error: type[Exception]) -> str:
    """Derive the name of a problem from its error: `RecordingTooLargeError` becomes `recording-too-large`."""
    words = error.__name__.removesuffix("Error")
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in words).removeprefix("-")
