import assert from "node:assert/strict";
import { test } from "node:test";

import { Renewal } from "./renewal.js";
import { Session } from "./session.js";

const ROOT = new URL("https://chat.example/");
const MEMBER = { account_id: "a1", member_id: "m1", role: "owner" };

function storage() {
  const kept = new Map();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text), removeItem: (name) => kept.delete(name) };
}

function answering(...answers) {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push({ path: url.pathname, ...options });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return { ok: answer.status < 300, status: answer.status, json: async () => answer.body };
  };
  return { asked, fetch };
}

const opened = (token) => ({ status: 200, body: { access_token: token, expires_in: 900, member: MEMBER } });

test("many requests that find the token run out renew it once, with the cookie's header and no token", async () => {
  const session = new Session(storage());
  session.open(opened("t1").body, "ada@example.com");
  const { asked, fetch } = answering(opened("t2"));
  const renewal = new Renewal(session, ROOT, fetch);
  assert.deepEqual(await Promise.all([renewal.now(), renewal.now(), renewal.now()]), [true, true, true]);
  assert.deepEqual(asked, [{ path: "/v1/auth/refresh", method: "POST", headers: { "X-Session": "cookie" }, credentials: "same-origin" }]);
  assert.equal(session.token, "t2");
  assert.equal(session.email, "ada@example.com");
});

test("a new tab learns from the server whose session it goes on with", async () => {
  const session = new Session(storage());
  const { asked, fetch } = answering(opened("t1"), { status: 200, body: { email: "ada@example.com" } });
  assert.equal(await new Renewal(session, ROOT, fetch).now(), true);
  assert.equal(session.email, "ada@example.com");
  assert.equal(asked[1].headers.Authorization, "Bearer t1");
});

test("a session that has ended is not renewed, and the next attempt asks again", async () => {
  const session = new Session(storage());
  const { asked, fetch } = answering({ status: 401, body: {} }, { status: 401, body: {} });
  const renewal = new Renewal(session, ROOT, fetch);
  assert.equal(await renewal.now(), false);
  assert.equal(await renewal.now(), false);
  assert.equal(asked.length, 2);
});

test("when somebody else has logged in meanwhile, in another tab, this tab's session is over", async () => {
  const session = new Session(storage());
  session.open(opened("t1").body, "ada@example.com");
  const { fetch } = answering({ status: 200, body: { ...opened("t2").body, member: { ...MEMBER, account_id: "a2" } } });
  assert.equal(await new Renewal(session, ROOT, fetch).now(), false);
  assert.equal(session.token, "t1");
});

test("while the server is away, a token that still holds is gone on with", async () => {
  let now = 0;
  const session = new Session(storage(), () => now);
  session.open(opened("t1").body, "ada@example.com");
  const { fetch } = answering(new TypeError("offline"), { status: 503, body: {} });
  const renewal = new Renewal(session, ROOT, fetch);
  assert.equal(await renewal.now(), true);
  now = 900_000;
  assert.equal(await renewal.now(), false);
});
