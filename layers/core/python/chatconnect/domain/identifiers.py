"""Identifiers: UUIDs that sort by the time they were made, one type per noun."""

import os
import time
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
AccountId = NewType("AccountId", UUID)
MemberId = NewType("MemberId", UUID)
SessionId = NewType("SessionId", UUID)
InvitationId = NewType("InvitationId", UUID)
KeyId = NewType("KeyId", UUID)
IdentitySecretId = NewType("IdentitySecretId", UUID)
AssistantId = NewType("AssistantId", UUID)
WidgetId = NewType("WidgetId", UUID)
LeadId = NewType("LeadId", UUID)
VisitorId = NewType("VisitorId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
DocumentId = NewType("DocumentId", UUID)
VersionId = NewType("VersionId", UUID)
ToolId = NewType("ToolId", UUID)
McpServerId = NewType("McpServerId", UUID)
KnowledgeSourceId = NewType("KnowledgeSourceId", UUID)
DataRequestId = NewType("DataRequestId", UUID)


def new_id() -> UUID:
    """Return a UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds << 16) | (0x7 << 12) | (random >> 68 & 0xFFF)
    low = (0b10 << 62) | (random & ((1 << 62) - 1))
    return UUID(int=high << 64 | low)
