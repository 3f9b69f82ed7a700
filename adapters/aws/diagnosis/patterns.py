"""Event patterns and filter policies of plain values, evaluated here."""


def matches_plainly(pattern: object, event: object) -> bool | None:
    """Match an event against a pattern of plain values; None where the pattern has other operators."""
    if isinstance(pattern, dict):
        if not isinstance(event, dict):
            return False
        answers = [matches_plainly(wanted, event.get(name)) for name, wanted in pattern.items()]
        return False if False in answers else None if None in answers else True
    if not isinstance(pattern, list) or any(isinstance(item, dict | list) for item in pattern):
        return None
    found = event if isinstance(event, list) else [event]
    return any(item in pattern for item in found)
