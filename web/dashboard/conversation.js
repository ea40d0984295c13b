/** One conversation: its messages, and what each answer is based on and took. */

import { element } from "./dom.js";
import { milliseconds, moment, money } from "./format.js";

const ROLES = { user: "Visitor", assistant: "Assistant", staff: "Staff" };
const STATUSES = { pending: "being written", partial: "cut off", failed: "failed" };

/** @param {object} conversation as the API shows it @returns {Node[]} */
export function conversationContent({ created_at: createdAt, messages }) {
  return [
    element("header", { class: "thread-head" },
      element("a", { href: "#conversations", class: "back" }, "← All conversations"),
      element("h2", {}, moment(createdAt)),
      element("p", { class: "soft" }, sumOf(messages))),
    element("ol", { class: "messages" }, ...messages.map(messageItem)),
  ];
}

/** What the whole conversation took. */
function sumOf(messages) {
  const total = (name) => messages.reduce((sum, message) => sum + message.usage[name], 0);
  const tokens = total("input_tokens") + total("output_tokens");
  return `${messages.length} messages · ${tokens.toLocaleString()} tokens · ${money(total("cost_microusd"))}`;
}

function messageItem(message) {
  const remark = STATUSES[message.status];
  return element("li", { class: `message ${message.role}` },
    element("p", { class: "speaker" },
      element("strong", {}, ROLES[message.role] ?? message.role),
      element("time", { datetime: message.created_at, class: "soft" }, moment(message.created_at)),
      remark ? element("span", { class: "chip bad" }, [remark, message.error_code].filter(Boolean).join(": ")) : null),
    element("p", { class: "bubble" }, message.text),
    message.citations.length > 0 ? citationList(message.citations) : null,
    message.role === "assistant" ? usageList(message) : null);
}

function citationList(citations) {
  const item = ({ marker, title, page, quote }) =>
    element("li", {},
      element("details", {},
        element("summary", {}, `[${marker}] ${title}${page === null ? "" : `, page ${page}`}`),
        element("blockquote", {}, quote)));
  return element("ul", { class: "citations", "aria-label": "Sources" }, ...citations.map(item));
}

function usageList({ model, usage, finish_reason: finishReason }) {
  const cached = usage.cached_tokens > 0 ? ` (${usage.cached_tokens.toLocaleString()} cached)` : "";
  const facts = [
    ["Model", model ?? "–"],
    ["Tokens in", usage.input_tokens.toLocaleString() + cached],
    ["Tokens out", usage.output_tokens.toLocaleString()],
    ["Cost", money(usage.cost_microusd)],
    ["First token", milliseconds(usage.first_token_ms)],
    ["Total", milliseconds(usage.total_ms)],
    ["Ended by", finishReason ?? "–"],
  ];
  return element("dl", { class: "usage" },
    ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}
