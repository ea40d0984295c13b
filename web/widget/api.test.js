import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatApi } from "./api.js";
import { Memory } from "./storage.js";

/** An interface whose every token request is kept in `asked` and answered by `answer(body)`. */
function widget(context, answer) {
  const asked = [];
  context.mock.method(globalThis, "fetch", async (url, { body }) => {
    if (!url.endsWith("/token")) return Response.json({});
    asked.push(JSON.parse(body));
    return Response.json({ token: `token ${asked.length}`, expires_in: 3600, ...(await answer(asked.at(-1))) });
  });
  const memory = new Memory("pk", null);
  return { api: new ChatApi({ apiUrl: "https://api.example", key: "pk", memory }), memory, asked };
}

test("an identity goes with the next token, beside the visitor whom the device remembers", async (context) => {
  const { api, memory, asked } = widget(context, () => ({ visitor_id: "ada", returning: true }));
  memory.set("visitor", "anonymous");

  api.identify("signed");

  assert.equal(await api.returning(), true);
  assert.deepEqual(asked, [{ visitor_id: "anonymous", identity: "signed" }]);
  assert.equal(memory.get("visitor"), "ada");
});

test("an identity that is fetched is fetched for each token", async (context) => {
  const { api, asked } = widget(context, () => ({ visitor_id: "ada", expires_in: 0 }));
  let fetched = 0;

  api.identify(async () => `signed ${++fetched}`);
  await api.returning();
  await api.returning();

  assert.deepEqual(asked.map(({ identity }) => identity), ["signed 1", "signed 2"]);
});

test("whoever has logged out goes on as somebody new", async (context) => {
  const { api, memory, asked } = widget(context, ({ identity }) => ({
    visitor_id: identity ? "ada" : "somebody new",
    returning: Boolean(identity),
  }));
  api.identify("signed");
  await api.returning();

  api.identify(null);

  assert.equal(await api.returning(), false);
  assert.deepEqual(asked.at(-1), { visitor_id: "ada" });
  assert.equal(memory.get("visitor"), "somebody new");
});

test("a token that was asked for before somebody said who they are is not theirs", async (context) => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const { api, memory } = widget(context, async ({ identity }) => {
    if (!identity) await held;
    return { visitor_id: identity ? "ada" : "nobody" };
  });

  const early = api.returning();
  api.identify("signed");
  await api.returning();
  release();
  await early;

  assert.equal(memory.get("visitor"), "ada");
});
