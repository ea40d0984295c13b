"""What the stable codes of errors mean that more than one route may answer with, or a stream may end in."""

from collections.abc import Mapping

_MEANINGS: Mapping[int, Mapping[str, str]] = {
    400: {
        "invalid_request": "a field breaks a rule; `details` names it",
        "empty_message": "nothing to read in the message",
        "message_too_long": "more than 2,000 characters",
        "invalid_cursor": "no cursor that a page ended with",
        "invalid_email": "not an e-mail address",
        "invalid_filename": "the file has no name",
        "invalid_metadata": "what a document's metadata or a filter may not be",
        "empty_file": "the file is empty",
        "too_large": "the file is larger than files may be",
        "type_mismatch": "the file is of another type than its name says",
        "unsupported_type": "this kind of file is not read",
        "address_not_public": "an address that is not reached: only public ones are",
        "unknown_action": "a WebSocket's message that is none",
    },
    401: {
        "unauthenticated": "no credential",
        "token_invalid": "a token that is none of ours, or for something else",
        "token_expired": "a token that has ended",
        "unknown_key": "no key of ours",
        "key_revoked": "a key that was taken back, or has ended",
    },
    403: {
        "forbidden": "not with this credential",
        "role_required": "a member's role is not enough; `details` names the one that is",
        "operator_required": "for those who run the platform",
        "origin_required": "only from a website",
        "origin_not_allowed": "not from this website",
        "connection_taken": "a WebSocket that somebody else has",
    },
    404: {"not_found": "there is none, or none of yours; `details` says of what kind", "no_such_route": "no such path"},
    405: {"method_not_allowed": "not with this method"},
    409: {
        "conflict": "not in the state that it is in",
        "key_reused": "an Idempotency-Key that stands for another request",
        "conversation_archived": "the conversation takes no messages",
        "conversation_paused": "the conversation takes no messages for now",
        "already_owner": "the member is an owner already",
        "member_changed": "somebody else has just changed the member",
        "not_uploaded": "no file of the document has arrived",
        "too_many_tools": "no further tool",
        "too_many_servers": "no further MCP server",
    },
    422: {"damaged": "a file that cannot be read; a document's `failure` has codes of its own"},
    429: {
        "rate_limited": "too many requests in a minute",
        "tokens_per_day_reached": "a limit is used up, as are all that end in `_reached`",
        "provider_busy": "the model provider's own limit",
        "too_many_connections": "no further WebSocket",
    },
    500: {"internal": "a fault of ours"},
    503: {
        "unavailable": "a part that we depend on is away",
        "knowledge_unavailable": "the passages cannot be searched",
        "moderation_unavailable": "nobody can be asked whether this may be said",
        "provider_failed": "the model provider failed",
        "provider_rejected": "the model provider refuses the access token",
        "provider_not_configured": "there is no access token for the model provider",
        "answer_empty": "the model ended its answer without a word",
        "answer_timeout": "the answer took too long",
        "answer_interrupted": "whoever made the answer is gone, or its beginning is no longer kept",
        "resume_unavailable": "an answer cannot be taken up again for now",
    },
}

CODES = "Stable. Routes name those of their own. " + " ".join(
    f"{status}: {'; '.join(f'`{code}` ({meaning})' for code, meaning in meanings.items())}."
    for status, meanings in _MEANINGS.items()
)
