/** One answer's events from start to end, over as many connections as that takes. */

import { ConnectionLost } from "./api.js";

const MOST_ATTEMPTS = 6;
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 8_000;

/**
 * Yield every event of an answer once and in order, as `{type, data}` with parsed data.
 * Between connections it yields `{type: "reconnecting"}`. The last event is `done` or `error`.
 * Raises ConnectionLost when the line cannot be restored, ApiError when the server refuses.
 *
 * @param {import("./api.js").ChatApi} api
 * @param {{question?: object, messageId?: string}} answer the question to ask, or the answer to take up again
 * @param {{signal: AbortSignal, pause: (milliseconds: number, signal: AbortSignal) => Promise<void>}} options
 */
export async function* answerEvents(api, { question, messageId }, { signal, pause }) {
  let lastEventId = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Until `start` has named the message there is nothing to resume: ask again, under the same idempotency key.
      const events = messageId ? api.resume(messageId, lastEventId, signal) : api.ask(question, signal);
      for await (const { id, type, data: source } of events) {
        if (Number(id) <= lastEventId) continue;
        lastEventId = Number(id);
        attempt = 0;
        const data = JSON.parse(source);
        if (type === "start") messageId = data.message_id;
        yield { type, data };
        if (type === "done" || type === "error") return;
      }
    } catch (error) {
      if (!mayReconnect(error, messageId)) throw error;
    }
    if (attempt >= MOST_ATTEMPTS) throw new ConnectionLost("the answer's stream could not be restored");
    yield { type: "reconnecting", data: {} };
    await pause(delayBefore(attempt), signal);
    signal.throwIfAborted();
  }
}

/** A refusal of the question itself is the visitor's to see; a refusal of a resumption may pass. */
function mayReconnect(error, messageId) {
  return error.name === "ConnectionLost" || (error.name === "ApiError" && error.retryable && Boolean(messageId));
}

/** Exponential, with jitter so that visitors cut off together do not return together. */
function delayBefore(attempt) {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}
