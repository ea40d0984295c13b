/** A message as the visitor sees it, and what each event of a stream does to it. */

/** The longest message the server takes, in characters (code points). */
export const LONGEST_MESSAGE = 2_000;

/** Versions that hold nothing to read are not worth a visit. */
export const READABLE = ["complete", "partial"];

/**
 * @typedef {object} Message
 * @property {string | null} id null until the server has named it
 * @property {string | null | undefined} parentId the message that it follows; null at the beginning of a conversation
 * @property {"user" | "assistant" | "staff"} role
 * @property {string} text
 * @property {object[]} citations
 * @property {(string | null)[]} siblings the versions that can be shown in its place, oldest first, by their ids, its
 *   own among them; empty when it is the only one
 * @property {"complete" | "streaming" | "stopped" | "failed"} state
 * @property {"typing" | "using_tool" | "tool_done" | "tool_failed" | "reconnecting" | null} activity what a streaming
 *   answer is doing
 * @property {number} toolsRunning
 * @property {{code: string, detail: string} | null} warning
 * @property {Failure | null} failure
 * @property {"up" | "down" | null} rating
 * @property {object | null} question what an answer answers; null on messages that the server brought
 *
 * @typedef {object} Failure
 * @property {string} code
 * @property {string} detail
 * @property {boolean} retryable
 * @property {number | null} retryAfter in seconds
 * @property {boolean} final the server has closed this answer, so that only a further one can help
 */

/** Characters as the server counts them: an emoji is one, not two. */
export function lengthOf(text) {
  return [...text].length;
}

/** @param {object} stored a message as the server shows it, or the part of it that is known @returns {Message} */
export function shown(stored) {
  const { id = null, role, text = "", citations, state, feedback, question = null, siblings = [] } = stored;
  const choices = siblings.filter((each) => each.id === id || READABLE.includes(each.status)).map((each) => each.id);
  return {
    ...{ id, parentId: stored.parent_id, role, text, citations: citations ?? [], question },
    siblings: choices.length > 1 ? choices : [],
    state: state ?? stateOf(stored),
    ...{ activity: null, toolsRunning: 0, warning: warningOf(stored), failure: state ? null : failureOf(stored) },
    rating: feedback?.rating ?? null,
  };
}

function stateOf(stored) {
  if (codeOf(stored)) return "failed";
  return stored.finish_reason === "cancelled" ? "stopped" : "complete";
}

/** An answer that was cut would look as if it were over. */
function warningOf({ finish_reason: reason }) {
  return reason === "length" ? { code: "answer_cut", detail: "" } : null;
}

/** An answer that is neither complete nor in the making was left behind. */
function codeOf({ error_code: code, status }) {
  return code ?? (status === "pending" ? "answer_interrupted" : null);
}

function failureOf(stored) {
  const code = codeOf(stored);
  return code ? { code, detail: "", retryable: true, retryAfter: null, final: true } : null;
}

/** The choices beside a message that is about to be made in place of another. */
export function siblingsBeside({ id, siblings }) {
  return [...(siblings.length ? siblings : [id]).filter(Boolean), null];
}

/** Give a message the name that the server has for it. */
export function nameMessage(message, id) {
  message.id = id;
  message.siblings = message.siblings.length > 1 ? message.siblings.map((each) => each ?? id) : [];
}

/** Let an event of its stream change an answer. @param {Message} answer */
export function take(answer, type, data) {
  answer.activity = activityAfter(answer, type, data);
  if (type === "token") answer.text += data.text;
  if (type === "citation") answer.citations = [...answer.citations, data];
  if (type === "warning") answer.warning = data;
  if (type === "done") finish(answer, data);
  if (type === "error") fail(answer, { ...data, retryAfter: data.retry_after ?? null, final: true });
}

/** End an answer by what was raised instead of its end. */
export function failWith(answer, error) {
  if (error.name === "AbortError") {
    answer.state = "stopped";
    return;
  }
  const code = error.name === "ConnectionLost" ? "connection_lost" : (error.code ?? "unknown");
  const detail = error.name === "ApiError" ? error.message : "";
  const { retryable = false, retryAfter = null } = error;
  // Not final: the server may still hold this answer, so trying again takes the same one up.
  fail(answer, { code, detail, retryable, retryAfter, final: error.name !== "ConnectionLost" });
}

/** @param {Message} answer @param {Failure} failure */
function fail(answer, failure) {
  answer.failure = failure;
  answer.state = "failed";
}

function activityAfter(answer, type, { state }) {
  if (type === "reconnecting") return type;
  if (type === "token") return null;
  if (type !== "tool") return answer.activity === "reconnecting" ? activityWith(answer) : answer.activity;
  answer.toolsRunning = Math.max(0, answer.toolsRunning + (state === "called" ? 1 : -1));
  return answer.toolsRunning ? "using_tool" : `tool_${state}`;
}

function activityWith({ text, toolsRunning }) {
  if (toolsRunning) return "using_tool";
  return text ? null : "typing";
}

function finish(answer, { finish_reason: reason, citations }) {
  if (citations?.length) answer.citations = citations;
  answer.warning = warningOf({ finish_reason: reason }) ?? answer.warning;
  answer.state = stateOf({ finish_reason: reason });
}
