"""Filters by which documents are chosen, as bodies; and moments in time."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.metadata import Condition, DocumentFilters

MetadataValue = StrictBool | StrictInt | StrictFloat | StrictStr
MetadataBody = dict[str, MetadataValue]


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc), Field(description="ISO 8601; without a zone in UTC")]


class RangeBody(BaseModel):
    """Bounds of a value: all numbers, or all texts, which compare as ISO dates do."""

    model_config = ConfigDict(extra="forbid")

    gt: StrictInt | StrictFloat | StrictStr | None = None
    gte: StrictInt | StrictFloat | StrictStr | None = None
    lt: StrictInt | StrictFloat | StrictStr | None = None
    lte: StrictInt | StrictFloat | StrictStr | None = None


ConditionsBody = dict[str, MetadataValue | list[MetadataValue] | RangeBody]


class FiltersBody(BaseModel):
    """The documents of which all of this is true."""

    document_ids: list[UUID] | None = Field(default=None, description="These documents alone; none: all")
    metadata: ConditionsBody = Field(
        default_factory=dict,
        description="By key: the value, a list of which one is the value, or bounds (gt, gte, lt, lte)",
        examples=[{"language": "de", "product": ["alpha", "beta"], "year": {"gte": 2024}}],
    )
    created_since: Moment | None = None
    created_before: Moment | None = None

    def named(self, others: list[UUID] | None = None) -> tuple[DocumentId, ...] | None:
        """Return the documents that are named, here and among `others`; None: all."""
        lists = [each for each in (self.document_ids, others) if each is not None]
        if not lists:
            return None
        return tuple(DocumentId(each) for each in lists[0] if all(each in other for other in lists))

    def to_filters(self) -> DocumentFilters | None:
        """Return the filters but for the names; None when there are none. Raises Invalid."""
        conditions = conditions_of(self.metadata)
        if not (conditions or self.created_since or self.created_before):
            return None
        return DocumentFilters(conditions, self.created_since, self.created_before)

    @classmethod
    def of(cls, filters: DocumentFilters | None) -> "FiltersBody | None":
        """Return the body that shows filters."""
        if filters is None:
            return None
        metadata = {condition.key: _shown(condition) for condition in filters.conditions}
        return cls(metadata=metadata, created_since=filters.since, created_before=filters.before)


def conditions_of(metadata: ConditionsBody) -> tuple[Condition, ...]:
    """Return what metadata is asked for. Raises Invalid with code "invalid_metadata"."""
    return tuple(_condition(key, wanted) for key, wanted in metadata.items())


def _condition(key: str, wanted: MetadataValue | list[MetadataValue] | RangeBody) -> Condition:
    if isinstance(wanted, RangeBody):
        return Condition(key, gt=wanted.gt, gte=wanted.gte, lt=wanted.lt, lte=wanted.lte)
    return Condition(key, tuple(wanted) if isinstance(wanted, list) else (wanted,))


def _shown(condition: Condition) -> MetadataValue | list[MetadataValue] | RangeBody:
    if condition.any_of is not None:
        return condition.any_of[0] if len(condition.any_of) == 1 else list(condition.any_of)
    return RangeBody(gt=condition.gt, gte=condition.gte, lt=condition.lt, lte=condition.lte)
