import assert from "node:assert/strict";
import { test } from "node:test";

import { actionName, actorName, valueText } from "./audit-entries.js";
import { auditQuery } from "./audit-view.js";

const NOTHING = { text: " ", actor: "", object: "", since: "", until: "" };

test("only what was chosen is asked for", () => {
  const nothing = { text: null, actor: null, object: null, since: null, until: null };
  assert.deepEqual(auditQuery(NOTHING), nothing);
  assert.deepEqual(auditQuery({ ...NOTHING, text: " key ", actor: "member" }), { ...nothing, text: "key", actor: "member" });
});

test("a day is meant as a whole, as this computer counts it", () => {
  const { since, until } = auditQuery({ ...NOTHING, since: "2026-11-30", until: "2026-11-30" });
  assert.equal(new Date(since).getTime(), new Date(2026, 10, 30).getTime());
  assert.equal(new Date(until).getTime(), new Date(2026, 11, 1).getTime());
});

test("actors and actions are called as people call them", () => {
  assert.equal(actorName({ kind: "member", name: "ada@example.com" }), "ada@example.com");
  assert.equal(actorName({ kind: "system", name: null }), "The system itself");
  assert.equal(actionName("identity_secret.created"), "Identity secret created");
});

test("values stand in one line", () => {
  assert.deepEqual([null, "x", 3, ["a"], false].map(valueText), ["–", "x", "3", '["a"]', "false"]);
});
