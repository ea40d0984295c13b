import assert from "node:assert/strict";
import { test } from "node:test";

import { configurationOf } from "./assistant-form.js";
import { endOf, keyState, scopesIn } from "./keys-view.js";
import { settingsOf } from "./widget-settings.js";
import { textLines, textsOf } from "./widget-words.js";
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

test("what an assistant refuses is sent line by line", () => {
  const typed = {
    ...TYPED, moderation_mode: "rules", moderation_refusal: "No.", forbidden_phrases: " Globex \n\nInitech", forbidden_patterns: "\\d{16}",
  };
  const saved = configurationOf(ASSISTANT, typed);
  const rules = { forbidden_phrases: ["Globex", "Initech"], forbidden_patterns: ["\\d{16}"] };
  assert.deepEqual(saved.moderation, { mode: "rules", refusal: "No.", ...rules });
  assert.ok(!("forbidden_phrases" in saved));
});

test("whether passages are put in order anew is saved beside the rest of how they are found", () => {
  assert.deepEqual(configurationOf(ASSISTANT, { ...TYPED, rerank: true }).retrieval, { ...ASSISTANT.retrieval, rerank: true });
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

test("a form's fields, words and behaviour are sent as they are meant", () => {
  const stored = { locale: "en", texts: { send: "Old" }, suggested_questions: [], allowed_domains: [], theme: {} };
  const values = {
    title: "", greeting: "", questions: "", domains: "", accent: "#000000", mode: "auto", position: "right",
    texts: "send = Go = now\nplaceholder", lead_fields: "email, email, required\nphone, tel\ncity", lead_required: true,
    lead_consent: false, opens: "5", feedback: true, sources: false, on_accent: "", avatar: null,
    translations: { de: { texts: {}, suggested_questions: [] } }, name: " Shop ", assistant: "a1", locale: "fr",
  };
  const settings = settingsOf(stored, values);
  assert.deepEqual(settings.texts, { send: "Go = now", placeholder: "" });
  assert.deepEqual(settings.lead_form, {
    fields: [
      { name: "email", type: "email", required: true }, { name: "phone", type: "tel", required: false },
      { name: "city", type: "text", required: false },
    ],
    required: true, consent: false,
  });
  assert.deepEqual(settings.behaviour, { open_after_seconds: 5, feedback: true, sources: false });
  assert.deepEqual([settings.name, settings.assistant_id, settings.locale], ["Shop", "a1", "fr"]);
  assert.deepEqual([settings.theme.on_accent, settings.theme.avatar_url], [null, null]);
  assert.equal(settingsOf(stored, { ...values, lead_fields: " " }).lead_form, null);
  assert.deepEqual(textsOf(textLines({ a: "b", c: "" })), { a: "b", c: "" });
});

test("a key is active until it is revoked or past its end", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  assert.equal(keyState({ revoked_at: null, expires_at: null }, now).label, "Active");
  assert.equal(keyState({ revoked_at: null, expires_at: "2026-11-22T12:00:00Z" }, now).usable, true);
  assert.equal(keyState({ revoked_at: null, expires_at: "2026-11-20T12:00:00Z" }, now).label, "Expired");
  assert.equal(keyState({ revoked_at: "2026-11-20T12:00:00Z", expires_at: null }, now).usable, false);
});

test("a key that was rotated works on, and is shown as replaced", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  const state = keyState({ revoked_at: null, expires_at: "2026-11-22T12:00:00Z", replaced_by: "k2" }, now);
  assert.deepEqual([state.label, state.usable], ["Replaced", true]);
});

test("a key ends so many days from now, or never", () => {
  assert.equal(endOf("30", Date.parse("2026-11-21T12:00:00Z")), "2026-12-21T12:00:00.000Z");
  assert.equal(endOf(""), null);
});

test("what a key may do is said in words", () => {
  const all = ["chat", "conversations:read", "conversations:write", "knowledge:read", "knowledge:write", "config:read", "config:write", "usage:read"];
  assert.equal(scopesIn({ kind: "publishable", scopes: ["chat"] }), "Widget");
  assert.equal(scopesIn({ kind: "secret", scopes: all }), "Everything");
  assert.equal(scopesIn({ kind: "secret", scopes: all.slice(0, 2) }), "chat, conversations:read");
});

test("who may chat is saved when the form says so", () => {
  const stored = { locale: "en", texts: {}, theme: {} };
  const values = { title: "", greeting: "", questions: "", domains: "" };
  assert.equal(settingsOf(stored, { ...values, visitors: "known" }).require_identity, true);
  assert.equal(settingsOf(stored, { ...values, visitors: "all" }).require_identity, false);
});

test("text on the accent colour is readable", () => {
  assert.equal(readableOn("#ffe066"), "#000000");
  assert.equal(readableOn("#0b6e4f"), "#ffffff");
});
