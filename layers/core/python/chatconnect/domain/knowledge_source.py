"""A tenant's knowledge base elsewhere, in which its assistants may find their passages. Immutable and checked."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid5

from chatconnect.domain.addresses import Origin, check_base_url, origin_of
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import DocumentId, KnowledgeSourceId, TenantId, VersionId
from chatconnect.domain.secret import Secret, check_credential
from chatconnect.domain.text import cleaned, is_visible

PROVIDERS = ("dify",)
# Hybrid search needs weights or a reranking model, which only the knowledge base's own settings can name.
SEARCH_METHODS = ("semantic_search", "full_text_search", "keyword_search")
MAX_NAME = 100
_DATASET_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class KnowledgeSource:
    """Where a knowledge base is and what opens it.

    `dataset_id` is its id at the provider. `search_method` None: it is searched as it is set up there; otherwise by
    this method, for as many passages as the assistant wants.
    """

    id: KnowledgeSourceId
    tenant_id: TenantId
    name: str
    provider: str
    base_url: str
    dataset_id: str
    api_key: Secret
    created_at: datetime
    updated_at: datetime
    search_method: str | None = None

    def __post_init__(self) -> None:
        if not is_visible(self.name) or len(self.name) > MAX_NAME or cleaned(self.name) != self.name:
            raise Invalid(f"a knowledge source needs a name of 1 to {MAX_NAME} characters", details={"field": "name"})
        if self.provider not in PROVIDERS:
            raise Invalid(f"the provider is one of {', '.join(PROVIDERS)}", details={"field": "provider"})
        check_base_url(self.base_url)
        if not _DATASET_ID.fullmatch(self.dataset_id):
            raise Invalid("a dataset's id has 1 to 100 letters, digits, - and _", details={"field": "dataset_id"})
        check_credential(self.api_key, "an API key", field="api_key")
        if self.search_method is not None and self.search_method not in SEARCH_METHODS:
            raise Invalid(
                f"the search method is one of {', '.join(SEARCH_METHODS)}, or none",
                details={"field": "search_method"},
            )

    @property
    def origin(self) -> Origin:
        """Where the provider is."""
        return origin_of(self.base_url)

    def document_id(self, foreign_id: str) -> DocumentId:
        """Return our id of one of its documents: always the same for this tenant, and no other tenant's."""
        return DocumentId(uuid5(self.tenant_id, self._place("document", foreign_id)))

    def version_id(self, foreign_id: str) -> VersionId:
        """Return our id of a text there, which the offsets of passages index."""
        return VersionId(uuid5(self.tenant_id, self._place("text", foreign_id)))

    def _place(self, kind: str, foreign_id: str) -> str:
        return "\n".join((kind, self.provider, self.base_url, self.dataset_id, foreign_id))
