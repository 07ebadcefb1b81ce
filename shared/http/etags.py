"""Conditional requests (RFC 9110, 13.1): lists of validators, or a star."""

from shared.errors import PreconditionFailedError


def is_known(if_none_match: bytes | None, tag: bytes) -> bool:
    """Whether the caller has what `tag` names already; compared weakly, as for a GET."""
    if if_none_match is None:
        return False
    given = [each.strip().removeprefix(b"W/") for each in if_none_match.split(b",")]
    return tag in given or given == [b"*"]


def require_match(if_match: str | None, if_none_match: str | None, tag: str | None) -> None:
    """Let a change happen only to what the caller has seen; `tag` is None where there is nothing yet.

    Raises PreconditionFailedError with the present validator.
    """
    if if_match is not None:
        given = [each.strip() for each in if_match.split(",")]
        if tag is None or not (tag in given or given == ["*"]):
            raise _failed("It is not what If-Match says", tag)
    if if_none_match is not None:
        given = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
        if tag is not None and (tag in given or given == ["*"]):
            raise _failed("It exists, which If-None-Match rules out", tag)


def _failed(detail: str, tag: str | None) -> PreconditionFailedError:
    now = f"it is {tag} now" if tag else "there is none yet"
    return PreconditionFailedError(f"{detail}: {now}. Read it again and decide anew; nothing was changed.", etag=tag)
