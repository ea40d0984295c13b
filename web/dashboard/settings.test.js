import assert from "node:assert/strict";
import { test } from "node:test";

import { configurationOf } from "./assistant-view.js";
import { keyState } from "./keys-view.js";
import { settingsOf } from "./widget-view.js";
import { readableOn } from "./widget-preview.js";

const ASSISTANT = {
  id: "a1", version: 3, has_access_token: true, control_messages: ["Be brief."], history_messages: 12,
  retrieval: { limit: 7, threshold: 0.3, document_ids: null }, tools: ["search_knowledge"], answer_cache: true,
};
const TYPED = {
  name: "Ada", provider: "openai", model: "gpt-5-mini", base_url: " ", access_token: "", temperature: "0.4",
  max_tokens: "600", system_prompt: "Answer.", refusal: "No.",
};

test("saving an assistant keeps what the form does not show, and the stored token", () => {
  const saved = configurationOf(ASSISTANT, TYPED);
  assert.deepEqual(saved.retrieval, ASSISTANT.retrieval);
  assert.deepEqual(saved.control_messages, ["Be brief."]);
  assert.equal(saved.history_messages, 12);
  assert.deepEqual(saved.tools, ["search_knowledge"]);
  assert.equal(saved.answer_cache, true);
  assert.equal(saved.base_url, null);
  assert.equal(saved.access_token, null);
  assert.equal(saved.temperature, 0.4);
  assert.equal(saved.max_tokens, 600);
  assert.ok(!("version" in saved) && !("has_access_token" in saved));
});

test("a number that is none is sent as it was typed, for the server to refuse at its field", () => {
  assert.equal(configurationOf(ASSISTANT, { ...TYPED, temperature: "" }).temperature, "");
});

test("saving a widget keeps its other texts and its avatar; an emptied title is the widget's own again", () => {
  const stored = {
    locale: "de", texts: { title: "Old", send: "Senden", disclaimer: "" }, suggested_questions: [], allowed_domains: [],
    theme: { accent: "#000000", mode: "auto", position: "right", avatar_url: "https://example.com/a.png" },
  };
  const values = { title: "", greeting: "Hallo!", accent: "#ff0000", mode: "dark", position: "left", questions: "A?\n\nB?", domains: " a.example \n" };
  assert.deepEqual(settingsOf(stored, values), {
    locale: "de",
    texts: { send: "Senden", disclaimer: "", greeting: "Hallo!" },
    theme: { accent: "#ff0000", mode: "dark", position: "left", avatar_url: "https://example.com/a.png" },
    suggested_questions: ["A?", "B?"],
    allowed_domains: ["a.example"],
  });
});

test("a key is active until it is revoked or past its end", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  assert.equal(keyState({ revoked_at: null, expires_at: null }, now).label, "Active");
  assert.equal(keyState({ revoked_at: null, expires_at: "2026-11-22T12:00:00Z" }, now).usable, true);
  assert.equal(keyState({ revoked_at: null, expires_at: "2026-11-20T12:00:00Z" }, now).label, "Expired");
  assert.equal(keyState({ revoked_at: "2026-11-20T12:00:00Z", expires_at: null }, now).usable, false);
});

test("text on the accent colour is readable", () => {
  assert.equal(readableOn("#ffe066"), "#000000");
  assert.equal(readableOn("#0b6e4f"), "#ffffff");
});
