/** For tests: a conversation and the server that it talks to. */

import { ApiError, ConnectionLost } from "./api.js";
import { Conversation } from "./conversation.js";
import { Memory } from "./storage.js";

/** A server that plays one script per connection: events, or an error where the line breaks. */
export class ScriptedApi {
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

export const event = (id, type, data) => ({ id: String(id), type, data: JSON.stringify(data) });
export const START = event(1, "start", { message_id: "m1", conversation_id: "c1" });
export const DONE = event(4, "done", { finish_reason: "stop" });
export const token = (id, text) => event(id, "token", { text });

export const start = (answer, question) =>
  event(1, "start", { message_id: answer, user_message_id: question, conversation_id: "c1" });
export const said = (answer, question, text) => [start(answer, question), token(2, text), event(3, "done", {})];

export function conversationWith(api, memory = new Memory("pk", null)) {
  return new Conversation({ api, memory, pause: async () => {} });
}
