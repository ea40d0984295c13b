"""What of an assistant's configuration its tenant's plan includes.

What a plan lacks cannot be saved. What is stored already (the plan was a higher one, say) does not silence a widget:
the plan's own model answers then, and nothing else is asked at any provider.
"""

from dataclasses import replace

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.tenant import Feature, Plan
from chatconnect.domain.tool import SEARCH_KNOWLEDGE
from chatconnect.services.model_choice import endpoints


def check_in_plan(plan: Plan, config: AssistantConfig) -> None:
    """Raise Forbidden with code "model_not_in_plan" or "feature_not_in_plan"."""
    for endpoint in endpoints(config):
        plan.check_model(endpoint.provider, endpoint.model, endpoint.base_url)
    for name in config.tools:
        if (feature := _feature_of(name)) is not None:
            plan.check_feature(feature)


def within_plan(plan: Plan, assistant: Assistant) -> Assistant:
    """Return the assistant with the plan's model, without a fallback or tools, where its own are not included."""
    config = assistant.config
    own, *others = endpoints(config)
    if any(not plan.allows_model(each.provider, each.model, each.base_url) for each in others):
        config = replace(config, fallback=None)
    if not plan.allows_model(own.provider, own.model, own.base_url):
        config = replace(config.with_model(plan.provider, plan.model), fallback=None)
    tools = tuple(name for name in config.tools if _feature_of(name) in (None, *plan.features))
    if tools != config.tools:
        config = replace(config, tools=tools)
    return assistant if config is assistant.config else replace(assistant, config=config)


def _feature_of(tool: str) -> Feature | None:
    """Return what a plan has to include for a tool; None for the search, which every assistant may have."""
    if tool == SEARCH_KNOWLEDGE:
        return None
    return Feature.MCP if "/" in tool else Feature.TOOLS
