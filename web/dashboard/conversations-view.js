/** The conversations: the list, and the one that is being read beside it. */

import { conversationContent } from "./conversation.js";
import { element } from "./dom.js";
import { moment } from "./format.js";
import { moreButton } from "./tables.js";
import { empty, fill, page } from "./view.js";

const PAGE = 20;
const STATES = { active: "Active", paused: "Paused", handed_over: "Handed over", archived: "Archived" };

/** @param {import("./api.js").Api} api @param {string | null} id the conversation to read */
export function conversationsView(api, id) {
  const list = element("div", { class: "thread-list" });
  const reading = element("section", { class: "card thread", "aria-label": "Conversation", "aria-live": "polite" });
  const stopList = fill(list, (signal) => conversationList(api, id, signal));
  let stopReading = () => {};
  const read = (through) => {
    stopReading();
    stopReading = fill(reading, async (signal) => {
      const conversation = await api.get(`/conversations/${id}`, { through }, signal);
      if (through) requestAnimationFrame(() => focusVersions(reading, through)); // once it is on screen
      return conversationContent(conversation, { show: read, prompt: (answer) => api.get(`/messages/${answer}/prompt`) });
    });
  };
  if (id) read(null);
  else reading.append(empty("chat", "Nothing selected", "Choose a conversation to read it with its sources and costs."));
  return {
    node: page("Conversations", "What visitors asked, and what your assistant answered.",
      element("div", { class: id ? "threads reading" : "threads" }, list, reading)),
    close() {
      stopList();
      stopReading();
    },
  };
}

/** Whoever goes from version to version finds the buttons where they were. */
function focusVersions(reading, messageId) {
  reading.querySelector(`[data-message="${CSS.escape(messageId)}"] .versions button:enabled`)?.focus();
}

async function conversationList(api, selected, signal) {
  const [{ assistants }, first] = await Promise.all([
    api.get("/assistants", {}, signal),
    api.get("/conversations", { limit: PAGE }, signal),
  ]);
  if (first.conversations.length === 0) {
    return [empty("chat", "No conversations yet", "They appear here as soon as visitors ask something.")];
  }
  const names = new Map(assistants.map((assistant) => [assistant.id, assistant.name]));
  const list = element("ul", { "aria-label": "Conversations" });
  const show = (page) => {
    list.append(...page.conversations.map((conversation) => conversationItem(conversation, names, selected)));
    return page.next_cursor;
  };
  const further = async (cursor) => show(await api.get("/conversations", { limit: PAGE, cursor }));
  return [list, moreButton("Show older conversations", show(first), further)];
}

function conversationItem({ id, assistant_id: assistantId, state, metadata, updated_at: updatedAt }, names, selected) {
  const about = Object.entries(metadata).map(([name, value]) => `${name}: ${value}`);
  return element("li", {},
    element("a", { href: `#conversations/${id}`, "aria-current": id === selected ? "true" : null },
      element("span", { class: "thread-when" }, moment(updatedAt)),
      element("span", { class: `chip ${state === "active" ? "good" : "idle"}` }, STATES[state] ?? state),
      element("span", { class: "soft" }, [names.get(assistantId) ?? "Former assistant", ...about].join(" · "))));
}
