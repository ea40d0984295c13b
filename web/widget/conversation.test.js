import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, ConnectionLost } from "./api.js";
import { DONE, START, ScriptedApi, conversationWith, event, token } from "./scripted.js";
import { Memory } from "./storage.js";

test("a message gets its answer, and the device remembers the conversation", async () => {
  const memory = new Memory("pk", null);
  const conversation = conversationWith(new ScriptedApi([START, token(2, "Hello "), token(3, "you"), DONE]), memory);

  await conversation.send("  hi ");

  assert.deepEqual(conversation.messages.map(({ role, text, state }) => [role, text, state]), [
    ["user", "hi", "complete"],
    ["assistant", "Hello you", "complete"],
  ]);
  assert.equal(memory.get("conversation"), "c1");
  assert.equal(memory.get("pending"), null);
});

test("a dropped stream goes on where it stopped and repeats nothing", async () => {
  const api = new ScriptedApi(
    [START, token(2, "one "), new ConnectionLost("cut")],
    [token(2, "one "), token(3, "two "), new ConnectionLost("cut")],
    [event(4, "token", { text: "three" }), event(5, "done", {})],
  );
  const conversation = conversationWith(api);

  await conversation.send("count");

  assert.equal(conversation.messages[1].text, "one two three");
  assert.deepEqual(api.calls.slice(1), [["resume", "m1", 2], ["resume", "m1", 3]]);
});

test("a stream that ends without an ending counts as dropped", async () => {
  const api = new ScriptedApi([START, token(2, "one")], [DONE]);
  const conversation = conversationWith(api);

  await conversation.send("count");

  assert.equal(conversation.messages[1].state, "complete");
});

test("a line that breaks before the answer has a name asks again under the same key", async () => {
  const api = new ScriptedApi([new ConnectionLost("refused")], [START, token(2, "yes"), DONE]);
  const conversation = conversationWith(api);

  await conversation.send("there?");

  const [[, first], [, second]] = api.calls;
  assert.equal(first.idempotencyKey, second.idempotencyKey);
  assert.equal(conversation.messages[1].text, "yes");
});

test("a line that stays broken ends in a failure that can be tried again", async () => {
  const broken = Array.from({ length: 6 }, () => [new ConnectionLost("refused")]);
  const api = new ScriptedApi(...broken, [START, token(2, "at last"), DONE]);
  const conversation = conversationWith(api);

  await conversation.send("there?");
  assert.equal(conversation.messages[1].failure.code, "connection_lost");
  await conversation.retry(conversation.messages[1]);

  assert.equal(conversation.messages[1].text, "at last");
  assert.equal(new Set(api.calls.map(([, { idempotencyKey }]) => idempotencyKey)).size, 1);
});

test("an answer that failed on the server is asked for anew, under a new key", async () => {
  const failure = event(2, "error", { code: "provider_busy", detail: "Busy.", retryable: true });
  const api = new ScriptedApi([START, failure], [START, token(2, "now"), DONE]);
  const conversation = conversationWith(api);

  await conversation.send("now?");
  assert.equal(conversation.messages[1].state, "failed");
  await conversation.retry(conversation.messages[1]);

  const [[, first], [, second]] = api.calls;
  assert.notEqual(first.idempotencyKey, second.idempotencyKey);
  assert.deepEqual(conversation.messages.map(({ text }) => text), ["now?", "now"]);
});

test("a refused question says for how long to wait", async () => {
  const refusal = new ApiError(429, { code: "rate_limited", message: "Too fast." }, 7);
  const conversation = conversationWith(new ScriptedApi([refusal]));

  await conversation.send("quick");

  const { code, retryable, retryAfter } = conversation.messages[1].failure;
  assert.deepEqual([code, retryable, retryAfter], ["rate_limited", true, 7]);
  assert.equal(conversation.busy, false);
});

test("a second message waits until the answer is there", async () => {
  const conversation = conversationWith(new ScriptedApi([START, DONE]));

  const first = conversation.send("one");
  assert.equal(await conversation.send("two"), false);
  await first;

  assert.equal(conversation.messages.length, 2);
});

test("empty and over-long messages are not sent; length counts characters, not units", async () => {
  const api = new ScriptedApi([START, DONE]);
  const conversation = conversationWith(api);

  assert.equal(await conversation.send("   "), false);
  assert.equal(await conversation.send("x".repeat(2_001)), false);
  assert.equal(await conversation.send("🚲".repeat(2_000)), true);
});

test("a rating that could not be sent is taken back", async () => {
  const conversation = conversationWith(new ScriptedApi([START, token(2, "a"), DONE]));
  await conversation.send("q");

  await assert.rejects(conversation.rate(conversation.messages[1], { rating: "up" }));

  assert.equal(conversation.messages[1].rating, null);
});

test("tools keep the answer busy until the last of them is done, and a token ends the talk of them", async () => {
  const tool = (id, state) => event(id, "tool", { name: "stock", state });
  const events = [tool(2, "called"), tool(3, "called"), tool(4, "done"), tool(5, "failed"), token(6, "so"), event(7, "done", {})];
  const conversation = conversationWith(new ScriptedApi([START, ...events]));
  const seen = [];
  conversation.addEventListener("change", ({ detail }) => detail.role === "assistant" && seen.push(detail.activity));

  await conversation.send("in stock?");

  assert.deepEqual(seen, ["typing", "typing", "using_tool", "using_tool", "using_tool", "tool_failed", null, null, null]);
});

test("a warning is given once, whatever number of answers it comes with", async () => {
  const warning = event(2, "warning", { code: "tokens_per_day_nearly_reached", detail: "d" });
  const script = [START, warning, token(3, "a"), event(4, "done", {})];
  const conversation = conversationWith(new ScriptedApi(script, script));

  await conversation.send("one");
  await conversation.send("two");

  const warnings = conversation.messages.map((message) => message.warning?.code);
  assert.deepEqual(warnings, [undefined, "tokens_per_day_nearly_reached", undefined, undefined]);
});

test("an answer that was cut says so, each time and after a reload", async () => {
  const script = [START, token(3, "a"), event(4, "done", { finish_reason: "length" })];
  const api = new ScriptedApi(script, script);
  const conversation = conversationWith(api);
  await conversation.send("one");
  await conversation.send("two");
  const cut = conversation.messages.map((message) => message.warning?.code);
  api.stored = [{ id: "m1", role: "assistant", text: "a", status: "complete", finish_reason: "length" }];

  await conversation.restore();

  assert.deepEqual(cut, [undefined, "answer_cut", undefined, "answer_cut"]);
  assert.equal(conversation.messages[0].warning.code, "answer_cut");
});

test("an answer that is stopped before it has a name is cancelled as soon as it has one", async () => {
  const api = new ScriptedApi([START, event(2, "done", { finish_reason: "cancelled" })]);
  const conversation = conversationWith(api);

  const sending = conversation.send("a long story");
  await conversation.stop();
  await sending;

  assert.deepEqual(api.calls[1], ["cancel", "m1"]);
  assert.equal(conversation.messages[1].state, "stopped");
});
