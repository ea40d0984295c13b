"""What the contracts of caches share: a company of which nothing is kept yet."""

import pytest

from chatconnect.domain.identifiers import TenantId, new_id


@pytest.fixture
def acme() -> TenantId:
    return TenantId(new_id())
