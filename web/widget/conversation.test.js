import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, ConnectionLost } from "./api.js";
import { Conversation } from "./conversation.js";
import { Memory } from "./storage.js";

/** A server that plays one script per connection: events, or an error where the line breaks. */
class ScriptedApi {
  calls = [];
  stored = null;

  constructor(...scripts) {
    this.scripts = scripts;
  }

  async *ask(question) {
    this.calls.push(["ask", question]);
    yield* this.#play();
  }

  async *resume(messageId, lastEventId) {
    this.calls.push(["resume", messageId, lastEventId]);
    yield* this.#play();
  }

  async cancel(messageId) {
    this.calls.push(["cancel", messageId]);
  }

  async conversation() {
    if (!this.stored) throw new ApiError(404, { code: "not_found" });
    return { id: "c1", messages: this.stored };
  }

  async feedback() {
    throw new ConnectionLost("no line");
  }

  async *#play() {
    for (const step of this.scripts.shift()) {
      await null;
      if (step instanceof Error) throw step;
      yield step;
    }
  }
}

const event = (id, type, data) => ({ id: String(id), type, data: JSON.stringify(data) });
const START = event(1, "start", { message_id: "m1", conversation_id: "c1" });
const DONE = event(4, "done", { finish_reason: "stop" });
const token = (id, text) => event(id, "token", { text });

function conversationWith(api, memory = new Memory("pk", null)) {
  return new Conversation({ api, memory, pause: async () => {} });
}

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

test("after a reload the messages are back and an unfinished answer is taken up", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "c1");
  memory.set("pending", "m2");
  const start = event(1, "start", { message_id: "m2", conversation_id: "c1" });
  const api = new ScriptedApi([start, token(2, "whole"), DONE]);
  api.stored = [
    { id: "m1", role: "user", text: "q", citations: [] },
    { id: "m2", role: "assistant", text: "who", citations: [] },
  ];
  const conversation = conversationWith(api, memory);

  await conversation.restore();

  assert.deepEqual(conversation.messages.map(({ id, text }) => [id, text]), [["m1", "q"], ["m2", "whole"]]);
  assert.deepEqual(api.calls, [["resume", "m2", 0]]);
});

test("when the stream is no longer kept, the stored answer is shown", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "c1");
  memory.set("pending", "m2");
  const api = new ScriptedApi([new ApiError(404, { code: "not_found" })]);
  api.stored = [{ id: "m2", role: "assistant", text: "stored" }];
  const conversation = conversationWith(api, memory);

  await conversation.restore();

  assert.deepEqual(conversation.messages.map(({ text, state }) => [text, state]), [["stored", "complete"]]);
});

test("a conversation that is gone begins anew", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "gone");
  const gone = new ApiError(404, { code: "not_found" });
  const api = new ScriptedApi([gone], [START, token(2, "fresh"), DONE]);
  const conversation = conversationWith(api, memory);

  await conversation.send("still there?");

  assert.equal(api.calls[1][1].conversationId, null);
  assert.equal(conversation.messages[1].text, "fresh");
});

test("a new conversation leaves the old answer behind", async () => {
  const api = new ScriptedApi([START, token(2, "late"), DONE]);
  const conversation = conversationWith(api);
  const sending = conversation.send("one");
  await new Promise((resolve) => conversation.addEventListener("change", resolve, { once: true }));

  conversation.reset();
  await sending;

  assert.deepEqual(conversation.messages, []);
  assert.equal(conversation.remembered, false);
});

test("a rating that could not be sent is taken back", async () => {
  const conversation = conversationWith(new ScriptedApi([START, token(2, "a"), DONE]));
  await conversation.send("q");

  await assert.rejects(conversation.rate(conversation.messages[1], { rating: "up" }));

  assert.equal(conversation.messages[1].rating, null);
});
