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

  async conversation(id, through) {
    this.reads = [...(this.reads ?? []), through];
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

const start = (answer, question) =>
  event(1, "start", { message_id: answer, user_message_id: question, conversation_id: "c1" });
const said = (answer, question, text) => [start(answer, question), token(2, text), event(3, "done", {})];

test("an edited question takes the place of the old one and of all that followed", async () => {
  const api = new ScriptedApi(said("m1", "u1", "one"), said("m2", "u2", "two"), said("m3", "u3", "three"));
  const conversation = conversationWith(api);
  await conversation.send("first");
  await conversation.send("second");

  assert.equal(await conversation.edit(conversation.messages[2], " second, better "), true);

  const [, , question, answer] = conversation.messages;
  assert.deepEqual(conversation.messages.map(({ text }) => text), ["first", "one", "second, better", "three"]);
  assert.deepEqual([question.parentId, question.siblings, answer.siblings], ["m1", ["u2", "u3"], []]);
  assert.deepEqual([api.calls[2][1].parentId, api.calls[2][1].conversationId], ["m1", "c1"]);
  assert.equal(api.calls[1][1].parentId, undefined);
});

test("an edit of the first question begins at the root, and an empty one changes nothing", async () => {
  const api = new ScriptedApi(said("m1", "u1", "one"), said("m2", "u2", "two"));
  const conversation = conversationWith(api);
  await conversation.send("first");

  assert.equal(await conversation.edit(conversation.messages[0], "  "), false);
  assert.equal(conversation.messages.length, 2);
  await conversation.edit(conversation.messages[0], "better");

  assert.equal(api.calls[1][1].parentId, null);
});

test("a further answer stands beside the last and asks for nothing but that", async () => {
  const api = new ScriptedApi(said("m1", "u1", "one"), said("m2", "u1", "two"), said("m3", "u1", "three"));
  const conversation = conversationWith(api);
  await conversation.send("first");

  await conversation.regenerate(conversation.messages[1]);
  await conversation.regenerate(conversation.messages[1]);

  assert.deepEqual(conversation.messages.map(({ text }) => text), ["first", "three"]);
  assert.deepEqual(conversation.messages[1].siblings, ["m1", "m2", "m3"]);
  assert.equal(api.calls[2][1].regenerate, "m2");
});

test("a retry of an answer whose question is stored asks for the answer alone", async () => {
  const failure = event(2, "error", { code: "provider_failed", detail: "", retryable: true });
  const api = new ScriptedApi([start("m1", "u1"), failure], said("m2", "u1", "now"));
  const conversation = conversationWith(api);
  await conversation.send("now?");

  await conversation.retry(conversation.messages[1]);

  assert.equal(api.calls[1][1].regenerate, "m1");
  assert.deepEqual([conversation.messages[1].id, conversation.messages[1].siblings], ["m2", []]);
});

test("a question that is no longer there to be answered again is asked anew", async () => {
  const gone = new ApiError(404, { code: "not_found" });
  const api = new ScriptedApi(said("m1", "u1", "one"), [gone], said("m2", "u2", "anew"));
  const conversation = conversationWith(api);
  await conversation.send("first");

  await conversation.regenerate(conversation.messages[1]);

  assert.deepEqual([api.calls[2][1].message, api.calls[2][1].conversationId], ["first", null]);
  assert.equal(conversation.messages[1].text, "anew");
});

test("the branch that was chosen is remembered, and what is asked there follows it", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "c1");
  const api = new ScriptedApi(said("m9", "u9", "there"));
  api.stored = [
    { id: "u1", role: "user", text: "q", parent_id: null, siblings: [] },
    { id: "m1", role: "assistant", text: "a", parent_id: "u1", siblings: [{ id: "m1", status: "complete" }, { id: "m2", status: "failed" }, { id: "m3", status: "complete" }] },
  ];
  const conversation = conversationWith(api, memory);

  await conversation.show("m1");
  assert.deepEqual(conversation.messages[1].siblings, ["m1", "m3"]);
  await conversationWith(api, memory).restore();
  await conversation.send("and?");

  assert.deepEqual(api.reads, ["m1", "m1"]);
  assert.equal(api.calls[0][1].parentId, "m1");
  assert.equal(memory.get("leaf"), null);
});

test("a branch that is gone leads to the newest one", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "c1");
  memory.set("leaf", "gone");
  const api = new ScriptedApi();
  api.conversation = async (id, through) => {
    if (through) throw new ApiError(404, { code: "not_found" });
    return { messages: [{ id: "u1", role: "user", text: "still here" }] };
  };
  const conversation = conversationWith(api, memory);

  await conversation.restore();

  assert.equal(conversation.messages[0].text, "still here");
  assert.equal(memory.get("conversation"), "c1");
});

test("another tab's questions are loaded once, and nothing when there are none", async () => {
  const memory = new Memory("pk", null);
  const [here, there] = [conversationWith(new ScriptedApi(said("m1", "u1", "one")), memory), new ScriptedApi()];
  const elsewhere = conversationWith(there, memory);
  there.stored = [{ id: "u1", role: "user", text: "q" }, { id: "m1", role: "assistant", text: "one" }];
  await elsewhere.sync();
  assert.equal(there.reads, undefined);

  await here.send("q");
  await elsewhere.sync();
  await elsewhere.sync();

  assert.deepEqual(elsewhere.messages.map(({ text }) => text), ["q", "one"]);
  assert.equal(there.reads.length, 1);
  here.reset();
  await elsewhere.sync();
  assert.deepEqual(elsewhere.messages, []);
});

test("an answer that another device or tab has begun is followed", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "c1");
  const api = new ScriptedApi(said("m1", "u1", "whole"));
  api.stored = [
    { id: "u1", role: "user", text: "q", status: "complete" },
    { id: "m1", role: "assistant", text: "", status: "pending" },
  ];
  const conversation = conversationWith(api, memory);

  await conversation.restore();

  assert.deepEqual(conversation.messages.map(({ text, state }) => [text, state]), [["q", "complete"], ["whole", "complete"]]);
});

test("restored answers say how they ended", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "c1");
  const api = new ScriptedApi();
  const ended = (id, status, finish_reason, error_code = null) =>
    ({ id, role: "assistant", text: "half", status, finish_reason, error_code });
  api.stored = [
    ended("m1", "partial", "cancelled"),
    ended("m2", "partial", "error", "provider_failed"),
    ended("m3", "pending", null),
    ended("m4", "complete", "stop"),
  ];
  const conversation = conversationWith(api, memory);

  await conversation.restore();

  assert.deepEqual(conversation.messages.map(({ state, failure }) => [state, failure?.code]), [
    ["stopped", undefined],
    ["failed", "provider_failed"],
    ["failed", "answer_interrupted"],
    ["complete", undefined],
  ]);
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

test("an answer that is stopped before it has a name is cancelled as soon as it has one", async () => {
  const api = new ScriptedApi([START, event(2, "done", { finish_reason: "cancelled" })]);
  const conversation = conversationWith(api);

  const sending = conversation.send("a long story");
  await conversation.stop();
  await sending;

  assert.deepEqual(api.calls[1], ["cancel", "m1"]);
  assert.equal(conversation.messages[1].state, "stopped");
});
