import assert from "node:assert/strict";
import { test } from "node:test";

import { anyBusy, stateOf, withNewest } from "./document-list.js";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const made = (id, minute) => ({ id, created_at: `2026-11-21T11:${String(minute).padStart(2, "0")}:00Z` });
const ids = (documents) => documents.map((document) => document.id).join("");

test("a document is worth asking for again while it is uploaded or processed", () => {
  const updated_at = "2026-11-21T11:59:00Z";
  assert.equal(anyBusy([{ status: "ready", updated_at }, { status: "failed", updated_at }], NOW), false);
  assert.equal(anyBusy([{ status: "ready", updated_at }, { status: "processing", updated_at }], NOW), true);
  assert.equal(anyBusy([{ status: "uploaded", updated_at }], NOW), true);
});

test("an upload whose form has run out is no longer waited for", () => {
  const state = stateOf({ status: "uploaded", updated_at: "2026-11-21T11:40:00Z" }, NOW);
  assert.deepEqual(state, { label: "Never arrived", tone: "idle", busy: false });
});

test("a fresh page replaces what it covers, so that deleted documents go and new ones come first", () => {
  const shown = [made("d", 40), made("c", 30), made("b", 20), made("a", 10)];
  const page = { documents: [made("e", 50), made("c", 30)], next_before: made("c", 30).created_at };
  assert.equal(ids(withNewest(shown, page)), "ecba");
});

test("a page that holds everything is everything", () => {
  assert.equal(ids(withNewest([made("a", 10)], { documents: [made("b", 20)], next_before: null })), "b");
});
