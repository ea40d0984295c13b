"""Who may do what: the one place to say it, a line for each route of the OpenAPI document."""

from dataclasses import dataclass

from chatconnect.domain.keys import Scope

LET_IN = "let in"
ROLES = ("owner", "admin", "agent", "viewer")

# member   the lowest role that is let in; `operator`: those who run the platform, whatever their role;
#          `anyone`: no credential is asked for
# key      the scope that lets a secret key in; `every`: only a key that has them all is let in
# visitor  whether a chat token is let in
TABLE = """
method path                                                       member   key                 visitor
GET    /health                                                    anyone   -                   -
GET    /health/ready                                              anyone   -                   -
GET    /v1/abuse                                                  viewer   conversations:read  -
GET    /v1/assistants                                             viewer   config:read         -
POST   /v1/assistants                                             admin    config:write        -
GET    /v1/assistants/{assistant_id}                              viewer   config:read         -
PUT    /v1/assistants/{assistant_id}                              admin    config:write        -
PATCH  /v1/assistants/{assistant_id}                              admin    config:write        -
DELETE /v1/assistants/{assistant_id}                              admin    config:write        -
POST   /v1/assistants/{assistant_id}/archive                      admin    config:write        -
POST   /v1/assistants/{assistant_id}/default                      admin    config:write        -
POST   /v1/assistants/{assistant_id}/publish                      admin    config:write        -
POST   /v1/assistants/{assistant_id}/rollback                     admin    config:write        -
POST   /v1/assistants/{assistant_id}/test                         admin    config:write        -
POST   /v1/assistants/{assistant_id}/unarchive                    admin    config:write        -
GET    /v1/assistants/{assistant_id}/versions                     viewer   config:read         -
POST   /v1/assistants/{assistant_id}/versions                     admin    config:write        -
GET    /v1/assistants/{assistant_id}/versions/{number}            viewer   config:read         -
GET    /v1/assistants/{assistant_id}/versions/{number}/changes    viewer   config:read         -
GET    /v1/audit                                                  admin    every               -
GET    /v1/audit/export                                           admin    every               -
POST   /v1/auth/invitations/accept                                anyone   -                   -
POST   /v1/auth/invitations/look                                  anyone   -                   -
POST   /v1/auth/login                                             anyone   -                   -
POST   /v1/auth/logout                                            anyone   -                   -
POST   /v1/auth/logout-everywhere                                 viewer   -                   -
GET    /v1/auth/me                                                viewer   -                   -
POST   /v1/auth/password                                          viewer   -                   -
POST   /v1/auth/password/forgot                                   anyone   -                   -
POST   /v1/auth/password/reset                                    anyone   -                   -
POST   /v1/auth/refresh                                           anyone   -                   -
POST   /v1/auth/register                                          anyone   -                   -
GET    /v1/auth/sessions                                          viewer   -                   -
DELETE /v1/auth/sessions/{session_id}                             viewer   -                   -
POST   /v1/auth/switch                                            viewer   -                   -
GET    /v1/auth/tenants                                           viewer   -                   -
POST   /v1/chat                                                   -        chat                yes
POST   /v1/chat/stream                                            -        chat                yes
GET    /v1/chat/stream/{message_id}                               -        chat                yes
POST   /v1/chat/{message_id}/cancel                               -        chat                yes
GET    /v1/conversations                                          viewer   conversations:read  yes
GET    /v1/conversations/{conversation_id}                        viewer   conversations:read  yes
POST   /v1/conversations/{conversation_id}/archive                agent    conversations:write -
GET    /v1/conversations/{conversation_id}/branches               viewer   conversations:read  yes
POST   /v1/conversations/{conversation_id}/fork                   agent    conversations:write yes
GET    /v1/conversations/{conversation_id}/instructions           viewer   conversations:read  -
PUT    /v1/conversations/{conversation_id}/instructions           agent    conversations:write -
POST   /v1/conversations/{conversation_id}/unarchive              agent    conversations:write -
GET    /v1/data-requests                                          admin    every               -
POST   /v1/data-requests/verify                                   admin    every               -
GET    /v1/data-requests/{request_id}                             admin    every               -
POST   /v1/data-requests/{request_id}/cancel                      owner    -                   -
GET    /v1/documents                                              viewer   knowledge:read      -
POST   /v1/documents                                              admin    knowledge:write     -
POST   /v1/documents/bulk                                         admin    knowledge:write     -
GET    /v1/documents/{document_id}                                viewer   knowledge:read      -
PATCH  /v1/documents/{document_id}                                admin    knowledge:write     -
DELETE /v1/documents/{document_id}                                admin    knowledge:write     -
GET    /v1/documents/{document_id}/chunks                         viewer   knowledge:read      -
GET    /v1/documents/{document_id}/chunks/{position}              viewer   knowledge:read      -
GET    /v1/documents/{document_id}/download                       viewer   knowledge:read      -
POST   /v1/documents/{document_id}/reprocess                      admin    knowledge:write     -
GET    /v1/documents/{document_id}/versions                       viewer   knowledge:read      -
POST   /v1/embed                                                  viewer   knowledge:read      -
GET    /v1/identity-secrets                                       admin    config:read         -
POST   /v1/identity-secrets                                       admin    config:write        -
DELETE /v1/identity-secrets/{secret_id}                           admin    config:write        -
GET    /v1/invitations                                            admin    -                   -
POST   /v1/invitations                                            admin    -                   -
DELETE /v1/invitations/{invitation_id}                            admin    -                   -
POST   /v1/invitations/{invitation_id}/resend                     admin    -                   -
GET    /v1/keys                                                   admin    config:read         -
POST   /v1/keys                                                   admin    config:write        -
DELETE /v1/keys/{key_id}                                          admin    config:write        -
POST   /v1/keys/{key_id}/rotate                                   admin    config:write        -
GET    /v1/knowledge-sources                                      admin    config:read         -
POST   /v1/knowledge-sources                                      admin    config:write        -
GET    /v1/knowledge-sources/{source_id}                          admin    config:read         -
PUT    /v1/knowledge-sources/{source_id}                          admin    config:write        -
DELETE /v1/knowledge-sources/{source_id}                          admin    config:write        -
POST   /v1/knowledge-sources/{source_id}/test                     admin    config:write        -
POST   /v1/knowledge/search                                       viewer   knowledge:read      -
GET    /v1/leads                                                  agent    conversations:read  -
POST   /v1/leads                                                  -        -                   yes
DELETE /v1/leads/{lead_id}                                        admin    conversations:write -
GET    /v1/mcp-servers                                            admin    config:read         -
POST   /v1/mcp-servers                                            admin    config:write        -
GET    /v1/mcp-servers/{server_id}                                admin    config:read         -
PUT    /v1/mcp-servers/{server_id}                                admin    config:write        -
DELETE /v1/mcp-servers/{server_id}                                admin    config:write        -
POST   /v1/mcp-servers/{server_id}/refresh                        admin    config:write        -
GET    /v1/members                                                viewer   -                   -
PUT    /v1/members/{member_id}                                    admin    -                   -
DELETE /v1/members/{member_id}                                    admin    -                   -
POST   /v1/members/{member_id}/transfer-ownership                 owner    -                   -
POST   /v1/messages/{message_id}/feedback                         agent    conversations:write yes
GET    /v1/messages/{message_id}/prompt                           admin    conversations:read  -
GET    /v1/operator/accounts                                      operator -                   -
POST   /v1/operator/accounts/{account_id}/disable                 operator -                   -
POST   /v1/operator/accounts/{account_id}/enable                  operator -                   -
GET    /v1/operator/tenants                                       operator -                   -
GET    /v1/operator/tenants/{tenant_id}                           operator -                   -
GET    /v1/operator/tenants/{tenant_id}/data-requests             operator -                   -
PUT    /v1/operator/tenants/{tenant_id}/plan                      operator -                   -
POST   /v1/operator/tenants/{tenant_id}/resume                    operator -                   -
POST   /v1/operator/tenants/{tenant_id}/suspend                   operator -                   -
GET    /v1/plans                                                  viewer   config:read         -
GET    /v1/realtime                                               viewer   knowledge:read      yes
GET    /v1/tenants/{tenant_id}                                    viewer   config:read         -
GET    /v1/tenants/{tenant_id}/chunking                           viewer   config:read         -
PUT    /v1/tenants/{tenant_id}/chunking                           admin    config:write        -
GET    /v1/tenants/{tenant_id}/control-messages                   viewer   config:read         -
PUT    /v1/tenants/{tenant_id}/control-messages                   admin    config:write        -
POST   /v1/tenants/{tenant_id}/erase                              owner    -                   -
POST   /v1/tenants/{tenant_id}/export                             owner    -                   -
GET    /v1/tenants/{tenant_id}/retention                          viewer   config:read         -
PUT    /v1/tenants/{tenant_id}/retention                          admin    config:write        -
GET    /v1/tools                                                  admin    config:read         -
POST   /v1/tools                                                  admin    config:write        -
PUT    /v1/tools/{tool_id}                                        admin    config:write        -
DELETE /v1/tools/{tool_id}                                        admin    config:write        -
GET    /v1/usage                                                  viewer   usage:read          -
GET    /v1/usage/caps                                             viewer   usage:read          -
PUT    /v1/usage/caps                                             admin    config:write        -
GET    /v1/visitors/blocked                                       viewer   conversations:read  -
GET    /v1/visitors/{visitor_id}                                  viewer   conversations:read  -
POST   /v1/visitors/{visitor_id}/block                            agent    conversations:write -
DELETE /v1/visitors/{visitor_id}/block                            agent    conversations:write -
POST   /v1/visitors/{visitor_id}/erase                            admin    conversations:write -
POST   /v1/visitors/{visitor_id}/export                           admin    conversations:write -
GET    /v1/widgets                                                viewer   config:read         -
POST   /v1/widgets                                                admin    config:write        -
GET    /v1/widgets/{key}/config                                   anyone   -                   -
POST   /v1/widgets/{key}/token                                    anyone   -                   -
PUT    /v1/widgets/{widget_id}                                    admin    config:write        -
DELETE /v1/widgets/{widget_id}                                    admin    config:write        -
GET    /v1/widgets/{widget_id}/versions                           viewer   config:read         -
POST   /v1/widgets/{widget_id}/versions/{number}/restore          admin    config:write        -
"""


@dataclass(frozen=True)
class Credential:
    """What somebody asks with: `kind` is none, visitor, member, key, or dead for a key that opens nothing."""

    kind: str
    role: str = ""
    scopes: frozenset[str] = frozenset()
    is_operator: bool = False
    refused_with: str = ""


@dataclass(frozen=True)
class Rule:
    """Who is let in on a route."""

    member: str | None
    key: str | None
    visitor: bool

    @property
    def is_open(self) -> bool:
        """Whether no credential is asked for."""
        return self.member == "anyone"

    def expects(self, who: Credential) -> str:
        """Return `LET_IN`, or the code of the refusal."""
        match who.kind:
            case "none":
                return "unauthenticated"
            case "visitor":
                return LET_IN if self.visitor else "token_invalid"
            case "member":
                return self._expects_of_member(who)
            case "key" if self.key is not None:
                needed = set(Scope) if self.key == "every" else {self.key}
                return LET_IN if needed <= who.scopes else "scope_required"
            case "dead" if self.key is not None:
                return who.refused_with
        return "token_invalid"

    def _expects_of_member(self, who: Credential) -> str:
        if self.member is None:
            return "token_invalid"
        if self.member == "operator":
            return LET_IN if who.is_operator else "operator_required"
        return LET_IN if ROLES.index(who.role) <= ROLES.index(self.member) else "role_required"


def rules() -> dict[tuple[str, str], Rule]:
    """Return the table by method and path."""
    parsed = {}
    for line in TABLE.strip().splitlines()[1:]:
        method, path, member, key, visitor = line.split()
        parsed[method, path] = Rule(None if member == "-" else member, None if key == "-" else key, visitor == "yes")
    return parsed
