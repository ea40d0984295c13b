/** The conversation as the visitor sees it: its messages, and the one answer that may be under way. */

import { answerEvents } from "./answer-stream.js";

/** The longest message the server takes, in characters (code points). */
export const LONGEST_MESSAGE = 2_000;

/** How long a stopped answer may take to say goodbye before the line is cut. */
const FAREWELL_MS = 3_000;

/** Characters as the server counts them: an emoji is one, not two. */
export function lengthOf(text) {
  return [...text].length;
}

/**
 * A message as shown.
 * @typedef {object} Message
 * @property {string | null} id null until the server has named it
 * @property {"user" | "assistant"} role
 * @property {string} text
 * @property {object[]} citations
 * @property {"complete" | "streaming" | "stopped" | "failed"} state
 * @property {"typing" | "searching" | "reconnecting" | null} activity what a streaming answer is doing
 * @property {string | null} warning
 * @property {{code: string, detail: string, retryable: boolean, retryAfter: number | null} | null} failure
 * @property {"up" | "down" | null} rating
 * @property {object | null} question what an answer answers; null on restored messages
 */

/**
 * Emits `message` (one was added), `change` (one changed), `answer` (one ended), `busy`, `failure`,
 * and `restart` (all messages were replaced); each event's detail is the message, or null.
 */
export class Conversation extends EventTarget {
  /** @type {Message[]} */
  messages = [];
  #api;
  #memory;
  #pause;
  #current = null;

  /**
   * @param {{api: import("./api.js").ChatApi, memory: import("./storage.js").Memory,
   *          pause: (milliseconds: number, signal: AbortSignal) => Promise<void>}} options
   */
  constructor({ api, memory, pause }) {
    super();
    this.#api = api;
    this.#memory = memory;
    this.#pause = pause;
  }

  /** Whether an answer is under way; until it ends nothing else is sent. */
  get busy() {
    return this.#current !== null;
  }

  /** Whether there is a conversation from before to restore. */
  get remembered() {
    return this.#memory.get("conversation") !== null;
  }

  /** Load the conversation that this device remembers and take up its unfinished answer. */
  async restore() {
    const id = this.#memory.get("conversation");
    if (!id || this.busy) return;
    const stored = await this.#load(id);
    const pendingId = this.#memory.get("pending"); // none when the conversation itself is gone
    this.messages = stored.filter(({ id: messageId }) => messageId !== pendingId).map(shown);
    this.#emit("restart");
    if (pendingId) await this.#run(this.#add({ id: pendingId, role: "assistant", state: "streaming" }));
  }

  /** Ask a question; resolves when its answer has ended, to false when it could not be sent at all. */
  async send(text) {
    const message = text.trim();
    if (this.busy || message === "" || lengthOf(message) > LONGEST_MESSAGE) return false;
    this.#add({ role: "user", text: message });
    const question = { message, parentId: null, idempotencyKey: randomKey() };
    await this.#run(this.#add({ role: "assistant", state: "streaming", question }));
    return true;
  }

  /** Try a failed answer once more. */
  async retry(answer) {
    if (this.busy) return;
    if (answer.failure.final) {
      // The server has closed this run: a new one, on a branch beside the failed one.
      const before = this.messages.slice(0, this.messages.indexOf(answer));
      const parentId = before.findLast(({ role, state }) => role === "assistant" && state === "complete")?.id;
      answer.question = { ...answer.question, parentId, idempotencyKey: randomKey() };
      answer.id = null;
    }
    Object.assign(answer, { text: "", citations: [], state: "streaming", warning: null, failure: null });
    await this.#run(answer);
  }

  /** Stop the answer under way; what there is of it stays. */
  async stop() {
    const current = this.#current;
    if (!current) return;
    const cut = () => current.abort.abort();
    if (!current.answer.id) return cut();
    setTimeout(cut, FAREWELL_MS);
    await this.#api.cancel(current.answer.id).catch(cut);
  }

  /** Forget this conversation and begin a new one. */
  reset() {
    const current = this.#current;
    this.#current = null;
    if (current?.answer.id) this.#api.cancel(current.answer.id).catch(() => {}); // it ends by itself in a while
    current?.abort.abort();
    this.#forget();
    this.messages = [];
    this.#emit("restart");
    this.#emit("busy");
  }

  /** Record the visitor's opinion of an answer; raises when the server could not be told. */
  async rate(answer, feedback) {
    const before = answer.rating;
    answer.rating = feedback.rating;
    this.#emit("change", answer);
    try {
      await this.#api.feedback(answer.id, feedback);
    } catch (error) {
      answer.rating = before;
      this.#emit("change", answer);
      throw error;
    }
  }

  async #load(id) {
    try {
      return (await this.#api.conversation(id)).messages;
    } catch (error) {
      if (error.status !== 404) throw error;
      this.#forget(); // it was erased, or belongs to another visitor: begin anew
      return [];
    }
  }

  #forget() {
    this.#memory.set("conversation", null);
    this.#memory.set("pending", null);
  }

  async #run(answer) {
    const current = { answer, abort: new AbortController() };
    this.#current = current;
    answer.activity = "typing";
    this.#emit("busy");
    this.#emit("change", answer);
    try {
      await this.#follow(answer, current);
    } catch (error) {
      if (this.#current !== current) return; // the visitor has begun anew meanwhile
      this.#fail(answer, error);
    }
    if (this.#current !== current) return;
    this.#current = null;
    this.#memory.set("pending", answer.failure?.final === false ? answer.id : null);
    answer.activity = null;
    this.#emit("change", answer);
    this.#emit(answer.failure ? "failure" : "answer", answer);
    this.#emit("busy");
  }

  async #follow(answer, current) {
    const { signal } = current.abort;
    const question = { ...answer.question, conversationId: this.#memory.get("conversation") };
    const events = answerEvents(this.#api, { question, messageId: answer.id }, { signal, pause: this.#pause });
    try {
      for await (const { type, data } of events) {
        if (this.#current !== current) return;
        this.#take(answer, type, data);
        this.#emit("change", answer);
      }
    } catch (error) {
      if (error.status !== 404 || this.#current !== current) throw error;
      await this.#withoutLostPart(answer, current, error);
    }
  }

  /** The server no longer knows the conversation, or no longer keeps the answer's stream. */
  async #withoutLostPart(answer, current, error) {
    const conversationId = this.#memory.get("conversation");
    if (answer.id) {
      const stored = (await this.#load(conversationId)).find(({ id }) => id === answer.id);
      if (!stored) throw error;
      Object.assign(answer, shown(stored));
    } else if (conversationId) {
      this.#forget();
      await this.#follow(answer, current);
    } else {
      throw error;
    }
  }

  #take(answer, type, data) {
    if (type === "reconnecting") answer.activity = "reconnecting";
    else answer.activity = answer.text ? null : "typing";
    if (type === "start") this.#begin(answer, data);
    if (type === "warning") answer.warning = data.detail;
    if (type === "tool" && data.state === "called") answer.activity = "searching";
    if (type === "token") answer.text += data.text;
    if (type === "citation") answer.citations = [...answer.citations, data];
    if (type === "done") finish(answer, data);
    if (type === "error") answer.failure = { ...data, retryAfter: data.retry_after ?? null, final: true };
    if (type === "error") answer.state = "failed";
  }

  #begin(answer, { message_id: id, conversation_id: conversationId }) {
    answer.id = id;
    this.#memory.set("conversation", conversationId);
    this.#memory.set("pending", id);
  }

  #fail(answer, error) {
    if (error.name === "AbortError") {
      answer.state = "stopped";
      return;
    }
    const code = error.name === "ConnectionLost" ? "connection_lost" : (error.code ?? "unknown");
    const detail = error.name === "ApiError" ? error.message : "";
    const { retryable = false, retryAfter = null } = error;
    // Not final: the server may still hold this answer, so trying again takes the same one up.
    answer.failure = { code, detail, retryable, retryAfter, final: error.name !== "ConnectionLost" };
    answer.state = "failed";
  }

  #add(message) {
    const complete = shown(message);
    this.messages.push(complete);
    this.#emit("message", complete);
    return complete;
  }

  #emit(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @returns {Message} */
function shown({ id = null, role, text = "", citations, state = "complete", feedback, question = null }) {
  const fresh = { activity: null, warning: null, failure: null };
  return { id, role, text, citations: citations ?? [], state, ...fresh, rating: feedback?.rating ?? null, question };
}

function finish(answer, { finish_reason: reason, citations }) {
  if (citations?.length) answer.citations = citations;
  answer.state = reason === "cancelled" ? "stopped" : "complete";
}

/** Not `crypto.randomUUID`: that one is missing on pages served without TLS. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
