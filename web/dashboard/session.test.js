import assert from "node:assert/strict";
import { test } from "node:test";

import { Session } from "./session.js";

const OPENED = { access_token: "t1", expires_in: 900, member: { member_id: "m1", role: "owner" } };

function storage(entries = {}) {
  const kept = new Map(Object.entries(entries));
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text), removeItem: (name) => kept.delete(name) };
}

test("a session outlives a reload of the page", () => {
  const kept = storage();
  new Session(kept, () => 0).open(OPENED, "ada@example.com");
  const again = new Session(kept, () => 899_000);
  assert.equal(again.token, "t1");
  assert.equal(again.email, "ada@example.com");
  assert.equal(again.role, "owner");
});

test("a token is renewed a little before it runs out, and where there was none nothing is", () => {
  let now = 0;
  const session = new Session(storage(), () => now);
  assert.equal(session.hasRunOut, false);
  session.open(OPENED, "ada@example.com");
  assert.equal(session.hasRunOut, false);
  now = 896_000;
  assert.equal(session.hasRunOut, true);
});

test("a token that has run out is no token", () => {
  let now = 0;
  const session = new Session(storage(), () => now);
  session.open(OPENED, "ada@example.com");
  now = 900_000;
  assert.equal(session.token, null);
});

test("nothing is left after logging out", () => {
  const kept = storage();
  const session = new Session(kept);
  session.open(OPENED, "ada@example.com");
  session.close();
  assert.equal(session.token, null);
  assert.equal(new Session(kept).token, null);
});

test("a broken entry in the storage means logging in", () => {
  assert.equal(new Session(storage({ "chatconnect.session": "{cut" })).token, null);
});
