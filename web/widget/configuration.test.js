import assert from "node:assert/strict";
import { test } from "node:test";

import { configurationOf, readableOn } from "./configuration.js";
import { duration, fill } from "./texts.js";

test("a widget without any configuration is complete", () => {
  const configuration = configurationOf({}, "en-GB");
  assert.equal(configuration.texts.title, "Assistant");
  assert.equal(configuration.direction, "ltr");
  assert.deepEqual(configuration.suggestedQuestions, []);
});

test("the tenant's texts win, an empty one removes the text, null keeps the default", () => {
  const { texts } = configurationOf({ texts: { send: "Envoyer", disclaimer: "", stop: null } }, "fr");
  assert.equal(texts.send, "Envoyer");
  assert.equal(texts.disclaimer, "");
  assert.equal(texts.stop, "Stop");
});

test("the language decides the direction", () => {
  assert.equal(configurationOf({ locale: "ar-EG" }, "en").direction, "rtl");
  assert.equal(configurationOf({ locale: "not a locale" }, "he").direction, "rtl");
});

test("a colour or an address that could carry anything else is not used", () => {
  const theme = { accent: "red; } * { display: none", on_accent: "red; }", avatar_url: "javascript:alert(1)", mode: "neon" };
  const configuration = configurationOf({ theme }, "en");
  assert.match(configuration.accent, /^#[\da-f]{6}$/);
  assert.equal(configuration.avatarUrl, null);
  assert.equal(configuration.onAccent, null);
  assert.equal(configuration.mode, "auto");
});

test("text on the accent colour is readable", () => {
  assert.equal(readableOn("#ffe066"), "#000000");
  assert.equal(readableOn("#0b3d2e"), "#ffffff");
  assert.equal(readableOn("#fff"), "#000000");
});

test("texts take values and name waiting times in their language", () => {
  assert.equal(fill("page {page} of {unknown}", { page: 3 }), "page 3 of {unknown}");
  assert.equal(duration(12, "en"), "12 seconds");
  assert.equal(duration(120, "de"), "2 Minuten");
});
