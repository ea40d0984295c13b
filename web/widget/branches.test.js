import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "./api.js";
import { ScriptedApi, conversationWith, event, said, start } from "./scripted.js";
import { Memory } from "./storage.js";

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
