"""The error tree. Every error carries a stable code and nothing about HTTP.

ChatConnectError
├── Invalid                 the request itself is wrong
├── Unauthenticated         nobody we know
├── Forbidden               somebody we know, who may not
├── NotFound                no such thing for this tenant
├── Conflict                not in this state, or already there
├── LimitReached            a rate, a quota or a budget
│   └── ProviderBusy        the model provider's own limit
├── Unavailable             something we depend on is away
│   ├── ProviderFailed      the model provider answered with a fault
│   ├── KnowledgeSourceFailed   a tenant's knowledge base elsewhere did
│   └── AnswerNotJson       the model did not keep to the form of the answer
└── DocumentRejected        a document that cannot be read, and why
"""

from collections.abc import Callable, Mapping
from typing import Self

Details = Mapping[str, object]


class ChatConnectError(Exception):
    """The root of every error that is ours. `message` is written for the person who made the request."""

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, details: Details | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details: Details = details or {}


class Invalid(ChatConnectError):
    """The input breaks a rule; `details` names the field where there is one."""

    code = "invalid_request"


class Unauthenticated(ChatConnectError):
    """No credential, or one that we do not accept."""

    code = "unauthenticated"


class Forbidden(ChatConnectError):
    """The credential is good, but not for this."""

    code = "forbidden"


class NotFound(ChatConnectError):
    """This tenant has nothing of that id; another tenant's thing is indistinguishable from none."""

    code = "not_found"

    def __init__(self, kind: str, identifier: object = "") -> None:
        super().__init__(f"no such {kind}", details={"kind": kind, "id": str(identifier)})


class Conflict(ChatConnectError):
    """The thing exists but its state does not allow this."""

    code = "conflict"


class LimitReached(ChatConnectError):
    """A rate, quota or budget is used up; `retry_after` is in seconds when waiting helps."""

    code = "rate_limited"

    def __init__(
        self, message: str, *, retry_after: float | None = None, code: str | None = None, details: Details | None = None
    ) -> None:
        super().__init__(message, code=code, details=details)
        self.retry_after = retry_after


class ProviderBusy(LimitReached):
    """The model provider refuses for now."""

    code = "provider_busy"

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("the language model is busy; please try again shortly", retry_after=retry_after)


class Unavailable(ChatConnectError):
    """A part that we depend on does not answer; trying again may help."""

    code = "unavailable"

    def __init__(self, dependency: str, *, retry_after: float = 5.0, code: str | None = None) -> None:
        super().__init__(
            f"{dependency} is not available; please try again shortly", code=code, details={"dependency": dependency}
        )
        self.dependency = dependency
        self.retry_after = retry_after


class ProviderFailed(Unavailable):
    """The model provider failed: a server fault, a broken stream, a malformed answer or a timeout.

    Further codes: provider_rejected (it refused our credential), provider_not_configured (there is no key for it),
    answer_empty (it ended its answer without a word).
    """

    code = "provider_failed"

    def __init__(self, code: str | None = None) -> None:
        super().__init__("the language model", code=code)


class KnowledgeSourceFailed(Unavailable):
    """A tenant's knowledge base elsewhere did not answer, or with a fault. `reason` is for the tenant's staff alone.

    Further codes: knowledge_source_rejected (it refused the key), knowledge_source_missing (there is no such knowledge
    base, or no such source any more), knowledge_source_busy (its own limit).
    """

    code = "knowledge_source_failed"

    def __init__(self, reason: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__("the knowledge source", code=code, retry_after=5.0 if retry_after is None else retry_after)
        self.reason = reason


class AnswerNotJson(Unavailable):
    """The model did not answer in the JSON that was asked for, not even when it was told what was wrong."""

    code = "answer_not_json"

    def __init__(self) -> None:
        super().__init__("an answer in the right form")


class DocumentRejected(ChatConnectError):
    """A document that cannot become knowledge. `code` is stable, the message tells staff what to do.

    Codes: unsupported_type, type_mismatch, too_large, encrypted, damaged, empty, no_text, too_complex,
    parser_timeout, parser_memory.
    """

    code = "damaged"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


class Caught:
    """Keeps as `fault` whatever goes wrong inside, tells `on_fault` of it, and lets what follows go on.

    For what has to hold whatever happens: a stream ends in an event, a job goes on with other tenants, work beside an
    answer does not end it. Cancelling goes through, and so does the end of a generator or of the process.
    """

    def __init__(self, on_fault: Callable[[Exception], object] | None = None) -> None:
        self._on_fault = on_fault
        self.fault: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, fault: BaseException | None, _traceback: object) -> bool:
        if not isinstance(fault, Exception):
            return False
        self.fault = fault
        if self._on_fault is not None:
            self._on_fault(fault)
        return True
