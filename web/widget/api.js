/** The visitor's side of ChatConnect's HTTP interface. */

import { readEvents } from "./sse.js";

/** Ask for a new token this long before the old one runs out. */
const TOKEN_MARGIN_MS = 30_000;

/** The server answered, and the answer is no. `retryAfter` is in seconds, or null when the server named no time. */
export class ApiError extends Error {
  name = "ApiError";

  constructor(status, { code = "unknown", message = "", details = {} } = {}, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter ?? details?.retry_after ?? null;
    this.retryable = status === 429 || status >= 500;
  }
}

/** The server could not be reached, or the line broke. */
export class ConnectionLost extends Error {
  name = "ConnectionLost";
  retryable = true;
}

/** One widget's requests; chat tokens are fetched when needed and renewed when they expire. */
export class ChatApi {
  #url;
  #widget;
  #memory;
  #token = null;
  #tokenEnds = 0;
  #tokenRequest = null;
  #returning = true;
  #identity = null;

  /** @param {{apiUrl: string, key: string, memory: import("./storage.js").Memory}} options */
  constructor({ apiUrl, key, memory }) {
    this.#url = apiUrl.replace(/\/+$/, "");
    this.#widget = `/v1/widgets/${encodeURIComponent(key)}`;
    this.#memory = memory;
  }

  /** The widget's public configuration, in a language where it has it. */
  async config(locale) {
    return (await this.#request(`${this.#widget}/config?locale=${encodeURIComponent(locale)}`)).json();
  }

  /**
   * Say who the visitor is: what the site's own server has signed, or a function that fetches it anew for each token;
   * null: nobody whom it knows.
   */
  identify(identity) {
    this.#identity = identity;
    this.#token = this.#tokenRequest = null;
  }

  /** Whether the visitor whom this device remembers goes on. */
  async returning() {
    await this.#currentToken();
    return this.#returning;
  }

  /**
   * The visitor's conversation with its newest branch, or the newest `through` a message; an ApiError of status 404 when
   * there is none.
   */
  async conversation(id, through = null) {
    return (await this.#authorized(`/v1/conversations/${id}${through ? `?through=${through}` : ""}`)).json();
  }

  /**
   * Send a message, or `regenerate` an answer, and yield the events of the answer.
   * The same idempotency key never runs the model twice, so a repeat after a broken line is safe.
   */
  async *ask({ message, conversationId, parentId, regenerate, idempotencyKey }, signal) {
    const place = { conversation_id: conversationId ?? undefined, parent_id: parentId };
    const body = regenerate ? { regenerate } : { message, ...place };
    yield* this.#events("/v1/chat/stream", {
      ...json(body),
      headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey },
      signal,
    });
  }

  /** Yield the events of an answer that follow `lastEventId`. */
  async *resume(messageId, lastEventId, signal) {
    yield* this.#events(`/v1/chat/stream/${messageId}`, { headers: { "Last-Event-ID": String(lastEventId) }, signal });
  }

  /** Stop generating an answer. */
  async cancel(messageId) {
    await this.#authorized(`/v1/chat/${messageId}/cancel`, { method: "POST" });
  }

  /** @param {{rating: "up" | "down", reason?: string, text?: string}} feedback */
  async feedback(messageId, feedback) {
    await this.#authorized(`/v1/messages/${messageId}/feedback`, json(feedback));
  }

  /** @param {{widget_id: string, fields: object, consent: boolean, locale: string}} lead */
  async leave(lead) {
    await this.#authorized("/v1/leads", json(lead));
  }

  async *#events(path, options) {
    const headers = { Accept: "text/event-stream", ...options.headers };
    const response = await this.#authorized(path, { ...options, headers, cache: "no-store" });
    try {
      yield* readEvents(response.body);
    } catch (error) {
      throw brokenLine(error);
    }
  }

  async #authorized(path, options = {}) {
    const withToken = async () => ({ ...options.headers, Authorization: `Bearer ${await this.#currentToken()}` });
    try {
      return await this.#request(path, { ...options, headers: await withToken() });
    } catch (error) {
      if (error.status !== 401) throw error;
      this.#token = null;
      return this.#request(path, { ...options, headers: await withToken() });
    }
  }

  async #currentToken() {
    if (!this.#token || Date.now() > this.#tokenEnds) {
      this.#tokenRequest ??= this.#newToken().finally(() => (this.#tokenRequest = null));
      await this.#tokenRequest;
    }
    return this.#token;
  }

  async #newToken() {
    const source = this.#identity;
    const identity = await (source instanceof Function ? source() : source);
    const body = { visitor_id: this.#memory.get("visitor") ?? undefined, identity: identity ?? undefined };
    const response = await this.#request(`${this.#widget}/token`, json(body));
    const { token, expires_in: seconds, visitor_id: visitorId, returning } = await response.json();
    if (source !== this.#identity) return; // somebody else has come meanwhile
    this.#memory.set("visitor", visitorId);
    this.#returning = returning !== false;
    this.#tokenEnds = Date.now() + seconds * 1000 - TOKEN_MARGIN_MS;
    this.#token = token;
  }

  async #request(path, options = {}) {
    let response;
    try {
      response = await fetch(this.#url + path, { credentials: "omit", ...options });
    } catch (error) {
      throw brokenLine(error);
    }
    if (response.ok) return response;
    throw await refusal(response);
  }
}

function json(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function brokenLine(error) {
  return error.name === "AbortError" ? error : new ConnectionLost(error.message, { cause: error });
}

async function refusal(response) {
  const body = await response.json().catch(() => ({})); // a gateway in between may answer in HTML
  const seconds = Number.parseInt(response.headers.get("Retry-After"), 10);
  return new ApiError(response.status, body.error, Number.isNaN(seconds) ? null : seconds);
}
