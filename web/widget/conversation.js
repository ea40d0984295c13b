/** The conversation as the visitor sees it: one branch of its messages, and the one answer that may be under way. */

import { answerEvents } from "./answer-stream.js";
import { LONGEST_MESSAGE, READABLE, failWith, lengthOf, nameMessage, shown, siblingsBeside, take } from "./message.js";

/** How long a stopped answer may take to say goodbye before the line is cut. */
const FAREWELL_MS = 3_000;

/** What the device remembers: the conversation, its newest answer, and the end of the branch that was chosen last. */
const PLACE = ["conversation", "newest", "leaf"];

/**
 * Emits `message` (one was added), `change` (one changed), `removed` (the last ones were), `answer` (one ended), `busy`,
 * `failure`, and `restart` (all messages were replaced); each event's detail is the message or messages, or null.
 */
export class Conversation extends EventTarget {
  /** @type {import("./message.js").Message[]} */
  messages = [];
  #api;
  #memory;
  #pause;
  #current = null;
  #seen;
  #warned = new Set();

  /**
   * @param {{api: import("./api.js").ChatApi, memory: import("./storage.js").Memory,
   *          pause: (milliseconds: number, signal: AbortSignal) => Promise<void>}} options
   */
  constructor({ api, memory, pause }) {
    super();
    this.#api = api;
    this.#memory = memory;
    this.#pause = pause;
    this.#seen = this.#place;
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
    const stored = await this.#branch(this.#memory.get("leaf"));
    if (!stored) return;
    this.#seen = this.#place;
    await this.#replace(stored, this.#memory.get("pending")); // null when the conversation itself is gone
  }

  /** Show what another tab has done meanwhile; asks the server only when there is something. */
  async sync() {
    if (this.#place !== this.#seen) await this.restore();
  }

  /** Show the newest branch through a message, and stay on it. */
  async show(messageId) {
    const stored = await this.#branch(messageId);
    if (!stored) return;
    this.#remember({ leaf: stored.at(-1)?.id ?? null });
    this.#replace(stored, null); // an answer that is still being made is taken up, and nobody waits for its end
  }

  /** Ask a question; resolves when its answer has ended, to false when it could not be sent at all. */
  async send(text) {
    return this.#ask(text, { parentId: this.#memory.get("leaf") ?? undefined });
  }

  /** Ask a question in other words, beside what it was; resolves as `send` does. */
  async edit(question, text) {
    if (!this.#sendable(text)) return false;
    this.#dropFrom(question);
    return this.#ask(text, { parentId: question.parentId, siblings: siblingsBeside(question) });
  }

  /** Ask for a further answer in place of this one. */
  async regenerate(answer) {
    if (this.busy || !answer.id) return;
    this.#dropFrom(answer);
    const fresh = { role: "assistant", state: "streaming", question: against(answer) };
    await this.#run(this.#add(fresh, siblingsBeside(answer)));
  }

  /** Try a failed answer once more. */
  async retry(answer) {
    if (this.busy) return;
    if (answer.failure.final) {
      // The server has closed this run. When it knows the question, only the answer is asked for again.
      answer.question = answer.id ? against(answer) : { ...answer.question, idempotencyKey: randomKey() };
      answer.siblings = siblingsBeside(answer).filter((id) => answer.text || id !== answer.id);
      answer.id = null;
    }
    Object.assign(answer, { text: "", citations: [], state: "streaming", warning: null, failure: null });
    await this.#run(answer);
  }

  /** Stop the answer under way; what there is of it stays. */
  async stop() {
    const current = this.#current;
    if (!current) return;
    current.stopping = true;
    setTimeout(() => current.abort.abort(), FAREWELL_MS);
    await this.#cancel(current);
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

  #sendable(text) {
    return !this.busy && text.trim() !== "" && lengthOf(text.trim()) <= LONGEST_MESSAGE;
  }

  /** Without a parent the server puts a question after the newest message, null is the conversation's beginning. */
  async #ask(text, { parentId, siblings = [] }) {
    if (!this.#sendable(text)) return false;
    const message = text.trim();
    const before = this.messages.findLast(({ id }) => id)?.id ?? null;
    const place = { parent_id: parentId === undefined ? before : parentId };
    this.#add({ role: "user", text: message, state: "complete", ...place }, siblings);
    const question = { message, parentId, idempotencyKey: randomKey() };
    await this.#run(this.#add({ role: "assistant", state: "streaming", question }));
    return true;
  }

  /** The remembered conversation's branch; null when something else is under way, or has begun meanwhile. */
  async #branch(through) {
    if (this.busy) return null;
    const id = this.#memory.get("conversation");
    const stored = await this.#load(id, through);
    return this.busy || (stored[0] && id !== this.#memory.get("conversation")) ? null : stored;
  }

  async #load(id, through) {
    try {
      return id ? (await this.#api.conversation(id, through)).messages : [];
    } catch (error) {
      if (error.status !== 404) throw error;
      if (through) return this.#load(id, null);
      this.#forget(); // it was erased, or belongs to another visitor: begin anew
      return [];
    }
  }

  /** Put these messages in place of what was shown, and take up the answer among them that is not complete. */
  async #replace(stored, pendingId) {
    const open = stored.find(({ id, status }) => id === pendingId || (status === "pending" && id === stored.at(-1).id));
    this.messages = stored.filter((message) => message !== open).map(shown);
    this.#emit("restart");
    const unfinished = open ?? (pendingId && { id: pendingId, role: "assistant" });
    if (unfinished) await this.#run(this.#add({ ...unfinished, text: "", citations: [], state: "streaming" }));
  }

  get #place() {
    return PLACE.map((name) => this.#memory.get(name)).join();
  }

  #remember(values) {
    for (const [name, value] of Object.entries(values)) this.#memory.set(name, value);
    this.#seen = this.#place;
  }

  #forget() {
    this.#remember({ conversation: null, newest: null, leaf: null, pending: null });
  }

  async #run(answer) {
    const current = { answer, abort: new AbortController() };
    this.#current = current;
    Object.assign(answer, { activity: "typing", toolsRunning: 0 });
    this.#emit("busy");
    this.#emit("change", answer);
    try {
      await this.#follow(answer, current);
    } catch (error) {
      if (this.#current !== current) return; // the visitor has begun anew meanwhile
      failWith(answer, error);
    }
    if (this.#current !== current) return;
    this.#current = null;
    this.#memory.set("pending", answer.failure?.final === false ? answer.id : null);
    answer.activity = null;
    this.#emit("change", answer);
    this.#emit(answer.failure ? "failure" : "answer", answer);
    this.#emit("busy");
  }

  /** Tell the server that nobody waits for this answer, as soon as it has a name. */
  async #cancel({ answer, abort, stopping }) {
    if (stopping && answer.id) await this.#api.cancel(answer.id).catch(() => abort.abort());
  }

  async #follow(answer, current) {
    const { signal } = current.abort;
    const question = { ...answer.question, conversationId: this.#memory.get("conversation") };
    const events = answerEvents(this.#api, { question, messageId: answer.id }, { signal, pause: this.#pause });
    try {
      for await (const { type, data } of events) {
        if (this.#current !== current) return;
        this.#take(answer, type, data);
        if (answer.failure?.code === "answer_interrupted") {
          await this.#endMeanwhile(answer); // before it is shown: who tries again at once must not be too early
          if (this.#current !== current) return;
        }
        this.#emit("change", answer);
        if (type === "start") this.#cancel(current);
      }
    } catch (error) {
      if (error.status !== 404 || this.#current !== current) throw error;
      await this.#withoutLostPart(answer, current, error);
    }
  }

  /** An answer whose stream is no longer kept, after a night with the lid closed, may be there in full all the same. */
  async #endMeanwhile(answer) {
    const messages = await this.#load(this.#memory.get("conversation"), answer.id).catch(() => []);
    const stored = messages.find(({ id, status }) => id === answer.id && READABLE.includes(status));
    if (stored) Object.assign(answer, shown(stored));
  }

  /** The server no longer knows the conversation or the message, or no longer keeps the answer's stream. */
  async #withoutLostPart(answer, current, error) {
    const conversationId = this.#memory.get("conversation");
    if (answer.id) {
      const stored = (await this.#load(conversationId, answer.id)).find(({ id }) => id === answer.id);
      if (!stored) throw error;
      Object.assign(answer, shown(stored));
    } else if (conversationId) {
      const { text } = this.#questionOf(answer);
      answer.question = { message: text, idempotencyKey: randomKey() };
      this.#forget();
      await this.#follow(answer, current);
    } else {
      throw error;
    }
  }

  #questionOf(answer) {
    return this.messages[this.messages.indexOf(answer) - 1];
  }

  #take(answer, type, data) {
    if (type === "warning" && this.#warned.has(data.code)) return;
    if (type === "warning") this.#warned.add(data.code);
    if (type === "start") this.#begin(answer, data);
    take(answer, type, data);
  }

  #begin(answer, { message_id: id, user_message_id: questionId, conversation_id: conversation }) {
    const question = this.#questionOf(answer);
    if (question && !question.id) nameMessage(question, questionId);
    if (!answer.id) nameMessage(answer, id);
    const leaf = answer.question ? null : this.#memory.get("leaf"); // what is asked anew is the newest there is
    this.#remember({ conversation, newest: id, leaf, pending: id });
    if (question) this.#emit("change", question);
  }

  #add(message, siblings = []) {
    const complete = shown(message);
    complete.siblings = siblings.length > 1 ? siblings : complete.siblings;
    this.messages.push(complete);
    this.#emit("message", complete);
    return complete;
  }

  #dropFrom(message) {
    this.#emit("removed", this.messages.splice(this.messages.indexOf(message)));
  }

  #emit(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** What asks for a further answer beside this one. */
function against(answer) {
  return { regenerate: answer.id, idempotencyKey: randomKey() };
}

/** Not `crypto.randomUUID`: that one is missing on pages served without TLS. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
