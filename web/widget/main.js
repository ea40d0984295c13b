/**
 * The script a site embeds:
 * `<script src="https://.../widget.js" data-key="pk_live_..." async></script>`,
 * with `data-api-url` when the interface lives elsewhere than the script.
 */

import { ChatApi } from "./api.js";
import { ChatConnect } from "./chat-connect.js";
import { configurationOf } from "./configuration.js";
import { Conversation } from "./conversation.js";
import { Memory, storageOf } from "./storage.js";
import { Widget } from "./widget.js";

const script = document.currentScript;

if (window.ChatConnect instanceof Object && !Array.isArray(window.ChatConnect)) {
  console.warn("ChatConnect: the widget is on this page already.");
} else {
  const early = window.ChatConnect ?? [];
  const parts = start(script.dataset.key, script.dataset.apiUrl || new URL(script.src).origin);
  parts.catch((error) => console.warn(`ChatConnect: the widget could not start: ${error.message}`));
  window.ChatConnect = new ChatConnect(parts);
  for (const call of early) window.ChatConnect.push(call);
}

async function start(key, apiUrl) {
  const memory = new Memory(key, storageOf(window, "localStorage"));
  const api = new ChatApi({ apiUrl, key, memory });
  const locale = document.documentElement.lang || navigator.language;
  const [served] = await Promise.all([api.config(locale), documentReady()]);
  const configuration = configurationOf(served, locale);
  const conversation = new Conversation({ api, memory, pause: untilOnlineOr });
  const tabMemory = new Memory(key, storageOf(window, "sessionStorage"));
  return { api, conversation, widget: new Widget({ api, conversation, configuration, memory: tabMemory, visitor: memory }) };
}

function documentReady() {
  if (document.body) return undefined;
  return new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

/** Wait; a connection that comes back ends the waiting, and so does a visitor who gives up. */
function untilOnlineOr(milliseconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    window.addEventListener("online", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
}
