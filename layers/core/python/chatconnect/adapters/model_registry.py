"""The models of all providers, and the connections that they share."""

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from chatconnect.adapters.anthropic import AnthropicAccount, AnthropicChat
from chatconnect.adapters.offline import OfflineChat
from chatconnect.adapters.openai import OpenAIAccount, OpenAIChat
from chatconnect.adapters.provider_http import Timeouts
from chatconnect.domain.errors import Invalid, ProviderFailed
from chatconnect.domain.secret import Secret
from chatconnect.ports.models import ChatModel, ModelEndpoint

if TYPE_CHECKING:
    from chatconnect.adapters.http_connections import Resolve

MAX_ACCOUNTS = 64

Account = OpenAIAccount | AnthropicAccount
Whose = tuple[Secret, str | None]


class ModelRegistry:
    """Gives the model behind an endpoint; keeps the accounts used last, each with its connections.

    The keys and addresses of the constructor are the deployment's own. Its key goes to its own address only: an
    endpoint with an address of its own must bring its own token. A tenant's token without an address goes to the
    deployment's. To an address of a tenant's own `resolve` shows the way, or refuses it at every new connection.
    """

    def __init__(
        self,
        openai_key: Secret | None = None,
        openai_base_url: str | None = None,
        anthropic_key: Secret | None = None,
        anthropic_base_url: str | None = None,
        timeouts: Timeouts | None = None,
        offline: OfflineChat | None = None,
        resolve: "Resolve | None" = None,
    ) -> None:
        self._own = {"openai": (openai_key, openai_base_url), "anthropic": (anthropic_key, anthropic_base_url)}
        self._timeouts, self._resolve = timeouts or Timeouts(), resolve
        self._offline = offline or OfflineChat()
        self._accounts: OrderedDict[tuple[str, Whose], Account] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def at(self, endpoint: ModelEndpoint) -> ChatModel:
        """Return the model at `endpoint`; connects nothing yet. Call it inside the running loop.

        Raises Invalid with code "unknown_provider", ProviderFailed with code "provider_not_configured" when there is
        no key for it.
        """
        if endpoint.provider == "offline":
            return self._offline
        if endpoint.provider not in self._own:
            raise Invalid("there is no such model provider", code="unknown_provider", details={"field": "provider"})
        account = self._account(endpoint.provider, self._whose(endpoint))
        if isinstance(account, OpenAIAccount):
            return OpenAIChat(account, endpoint.model)
        return AnthropicChat(account, endpoint.model)

    def _whose(self, endpoint: ModelEndpoint) -> Whose:
        own_key, own_url = self._own[endpoint.provider]
        if endpoint.access_token:
            return endpoint.access_token, endpoint.base_url or own_url
        if own_key is None or endpoint.base_url not in (None, own_url):
            raise ProviderFailed("provider_not_configured")
        return own_key, own_url

    def _account(self, provider: str, whose: Whose) -> Account:
        key = (provider, whose)
        account = self._accounts.get(key)
        if account is None:
            kind = OpenAIAccount if provider == "openai" else AnthropicAccount
            trusted = whose[1] in (None, self._own[provider][1])
            account = self._accounts[key] = kind(*whose, self._timeouts, None if trusted else self._resolve)
            if len(self._accounts) > MAX_ACCOUNTS:
                self._close_soon(self._accounts.popitem(last=False)[1])
        self._accounts.move_to_end(key)
        return account

    def _close_soon(self, account: Account) -> None:
        """Close an account that fell out; an answer still streaming from it is read to its end."""
        task = asyncio.get_running_loop().create_task(account.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Close every connection. The registry stays usable: the next use connects anew."""
        accounts = list(self._accounts.values())
        self._accounts.clear()
        await asyncio.gather(*self._closing, *(account.aclose() for account in accounts))
