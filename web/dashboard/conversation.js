/** One conversation: its messages, and what each answer is based on and took. */

import { button, element } from "./dom.js";
import { milliseconds, moment, money } from "./format.js";
import { fill } from "./view.js";

const ROLES = { user: "Visitor", assistant: "Assistant", staff: "Staff" };
const STATUSES = { pending: "being written", partial: "cut off", failed: "failed" };

/**
 * @param {object} conversation as the API shows it
 * @param {{show: (messageId: string) => void, prompt: (messageId: string) => Promise<object>}} around leads to another
 *   version of a message, and brings what the model was given for an answer
 * @returns {Node[]}
 */
export function conversationContent({ created_at: createdAt, visitor_id: visitorId, messages }, around) {
  return [
    element("header", { class: "thread-head" },
      element("a", { href: "#conversations", class: "back" }, "← All conversations"),
      element("h2", {}, moment(createdAt)),
      element("p", { class: "soft" }, sumOf(messages)),
      visitorId ? element("p", { class: "soft" }, "Visitor ", element("code", {}, visitorId)) : null),
    element("ol", { class: "messages" }, ...messages.map((message) => messageItem(message, around))),
  ];
}

/** What the messages on screen took; other versions of them are not among these. */
function sumOf(messages) {
  const total = (name) => messages.reduce((sum, message) => sum + message.usage[name], 0);
  const tokens = total("input_tokens") + total("output_tokens");
  return `${messages.length} messages · ${tokens.toLocaleString()} tokens · ${money(total("cost_microusd"))}`;
}

function messageItem(message, { show, prompt }) {
  const remark = STATUSES[message.status];
  return element("li", { class: `message ${message.role}`, "data-message": message.id },
    element("p", { class: "speaker" },
      element("strong", {}, ROLES[message.role] ?? message.role),
      element("time", { datetime: message.created_at, class: "soft" }, moment(message.created_at)),
      remark ? element("span", { class: "chip bad" }, [remark, message.error_code].filter(Boolean).join(": ")) : null),
    element("p", { class: "bubble" }, message.text),
    message.citations.length > 0 ? citationList(message.citations) : null,
    message.role === "assistant" ? usageList(message) : null,
    message.siblings.length > 1 ? versionsOf(message, show) : null,
    message.role === "assistant" ? promptOf(message, prompt) : null);
}

/** Edits and further answers stand beside each other; the one on screen is the one of the branch that is read. */
function versionsOf({ id, role, siblings }, show) {
  const position = siblings.findIndex((sibling) => sibling.id === id);
  const step = (label, sibling) =>
    button("quiet", label, () => show(sibling.id), { disabled: !sibling, "aria-label": `${label} version` });
  return element("div", { class: "versions", role: "group", "aria-label": "Versions" },
    step("Previous", siblings[position - 1]),
    element("span", {}, versionText(role, position + 1, siblings.length)),
    step("Next", siblings[position + 1]));
}

/** For example "Answer 2 of 3". */
export function versionText(role, number, count) {
  return `${role === "user" ? "Question" : "Answer"} ${number} of ${count}`;
}

/** What the model was given; asked for when somebody wants to know. */
function promptOf({ id }, prompt) {
  const place = element("div", { class: "prompt" });
  const details = element("details", { class: "why" }, element("summary", {}, "Why this answer"), place);
  details.addEventListener("toggle", () => fill(place, async () => promptContent(await prompt(id))), { once: true });
  return details;
}

function promptContent({ query, messages, summarised_until: summarised }) {
  const about = [`Searched for: ${query}`, summarised ? "Earlier messages are in the prompt as a summary." : null];
  return [
    ...about.filter(Boolean).map((text) => element("p", { class: "soft" }, text)),
    ...messages.map(({ role, content }) => element("section", {}, element("h3", {}, role), element("pre", { tabindex: "0" }, content))),
  ];
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
    ...(usage.from_cache ? [["Taken from", "the answer cache"]] : []),
  ];
  return element("dl", { class: "usage" },
    ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}
