import assert from "node:assert/strict";
import { test } from "node:test";

import { configurationOf } from "./assistant-form.js";
import { valueText, versionState } from "./assistant-versions.js";
import { stateText, trialText } from "./assistant-view.js";

const VALUES = { name: "Ada", base_url: "", access_token: "", temperature: "1", max_tokens: "9" };

test("a draft is published, an older version is rolled back to, and the published one is left alone", () => {
  assert.deepEqual(versionState(5, 4), { label: "Draft", tone: "busy", action: "Publish" });
  assert.deepEqual(versionState(4, 4), { label: "Published", tone: "good", action: null });
  assert.equal(versionState(3, 4).action, "Roll back to");
});

test("the form says whether it shows a draft", () => {
  assert.equal(stateText({ version: 3, published_version: 3 }), "version 3");
  assert.equal(stateText({ version: 4, published_version: 3 }), "draft 4; version 3 is published");
});

test("what belongs to a version is not sent as part of the configuration", () => {
  const stored = {
    id: "a1", version: 4, published_version: 3, latest_version: 4, archived_at: null, number: 4, author: null,
    created_at: "", updated_at: "", is_default: true, has_access_token: true, note: "old", retrieval: { limit: 7 },
  };
  const sent = configurationOf(stored, { ...VALUES, note: "new", remove_access_token: true });
  assert.deepEqual(Object.keys(sent).sort(), [
    "access_token", "base_url", "max_tokens", "name", "note", "remove_access_token", "retrieval", "temperature",
  ]);
  assert.equal(sent.note, "new");
});

test("values of changes are shown as text", () => {
  assert.equal(valueText(null), "–");
  assert.equal(valueText("<b>"), "<b>");
  assert.equal(valueText(false), "false");
  assert.equal(valueText(["a"]), '[\n "a"\n]');
});

test("a trial says whether the model answers, and why not", () => {
  assert.equal(trialText({ works: true, model: "m", first_answer_ms: 640 }), "m answers: it began after 640 ms.");
  assert.equal(trialText({ works: false, failure: { message: "Refused." } }), "Refused.");
});
