import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { ApiError, ConnectionLost } from "./api.js";
import { DONE, START, ScriptedApi, conversationWith, event, said, token } from "./scripted.js";
import { Memory } from "./storage.js";

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

test("an answer that was interrupted for us alone is shown as it ended", async () => {
  for (const [status, text, state] of [["complete", "stored", "complete"], ["pending", "", "failed"]]) {
    const interrupted = event(4, "error", { code: "answer_interrupted", detail: "", retryable: true });
    const api = new ScriptedApi([START, token(2, "sto"), new ConnectionLost("asleep")], [interrupted]);
    api.stored = [{ id: "m1", role: "assistant", text, status }];
    const conversation = conversationWith(api);

    await conversation.send("q");

    assert.deepEqual([conversation.messages[1].state, conversation.messages[1].text], [state, text || "sto"]);
  }
});

test("whoever tries an interrupted answer again as soon as it is called so is heard", async () => {
  const interrupted = event(4, "error", { code: "answer_interrupted", detail: "", retryable: true });
  const api = new ScriptedApi([START, token(3, "sto"), new ConnectionLost("asleep")], [interrupted], [START, DONE]);
  const stored = [{ id: "m1", role: "assistant", text: "", status: "pending" }];
  api.conversation = () => setTimeout(50, { messages: stored });
  const conversation = conversationWith(api);
  let tried = null;
  conversation.addEventListener("change", ({ detail: answer }) => {
    if (answer.failure) tried ??= setTimeout(1).then(() => conversation.retry(answer));
  });

  await conversation.send("q");
  await tried;

  assert.equal(conversation.messages[1].state, "complete");
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

test("a new conversation that begins while the old one is loaded stays the new one", async () => {
  const memory = new Memory("pk", null);
  memory.set("conversation", "c1");
  const api = new ScriptedApi();
  api.stored = [{ id: "u1", role: "user", text: "old" }];
  const conversation = conversationWith(api, memory);

  const restoring = conversation.restore();
  conversation.reset();
  await restoring;

  assert.deepEqual(conversation.messages, []);
});
