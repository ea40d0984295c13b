/** The staff's side of ChatConnect's HTTP interface. */

import { sentence } from "./format.js";
import { COOKIE_SESSION, Renewal } from "./renewal.js";
import { Live } from "./live.js";

/** The page lies at `dashboard/` beside `v1/`, wherever both are mounted. */
const ROOT = new URL("../", import.meta.url);

/** What opens and ends sessions: it goes with the refresh token's cookie, and with no access token. */
const OPENING = [
  "/auth/login", "/auth/register", "/auth/logout", "/auth/password/forgot", "/auth/password/reset",
  "/auth/invitations/look", "/auth/invitations/accept",
];

/** The server answered, and the answer is no. `message` is written for people, `fields` says what is wrong where. */
export class ApiError extends Error {
  name = "ApiError";

  /** @param {number} status @param {{code?: string, message?: string, details?: object, trace_id?: string}} error */
  constructor(status, { code = "unknown", message = "", details = {}, trace_id: traceId = null } = {}) {
    super(sentence(message || `the server answered with status ${status}`));
    this.status = status;
    this.code = code;
    this.details = details;
    this.traceId = traceId;
    this.fields = fieldsOf(details, this.message);
  }
}

/** The server could not be reached. */
export class ConnectionLost extends Error {
  name = "ConnectionLost";

  constructor() {
    super("The server cannot be reached. Check your connection and try again.");
  }
}

/**
 * Which fields an error speaks of: one by `details.field`, or several by `details.fields`.
 * @returns {Map<string, string>} field name to what is wrong with it
 */
export function fieldsOf(details, message) {
  if (Array.isArray(details?.fields)) return new Map(details.fields.map((each) => [each.field, sentence(each.message)]));
  return details?.field ? new Map([[details.field, message]]) : new Map();
}

/** The query part of an address; entries that are null or undefined are left out. */
function suffixOf(query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}

/** All requests of the dashboard, with the session's token, which is renewed when it has run out. */
export class Api {
  #session;
  #onExpired;
  #renewal;

  /**
   * @param {import("./session.js").Session} session
   * @param {() => void} onExpired called when the server no longer accepts the session
   */
  constructor(session, onExpired) {
    this.#session = session;
    this.#onExpired = onExpired;
    this.#renewal = new Renewal(session, ROOT);
  }

  /** Go on with the session that this browser has, in whatever tab it was opened. @returns {Promise<boolean>} */
  resume() {
    return this.#renewal.now();
  }

  /** Go on in another of the person's companies. */
  async switchTo(tenantId) {
    this.#session.open(await this.post("/auth/switch", { tenant_id: tenantId }), this.#session.email);
  }

  /** What the server says by itself, until it is closed. @returns {import("./live.js").Live} */
  live(onMessage, onChange) {
    const addressOf = async () => (await this.#request("GET", "/realtime")).url;
    return new Live({ session: this.#session, addressOf, onMessage, onChange });
  }

  /** @param {string} path below `/v1` @param {object} query entries that are null or undefined are left out */
  get(path, query = {}, signal = undefined) {
    return this.#request("GET", path + suffixOf(query), undefined, signal);
  }

  /** The answer itself, for what is no JSON. */
  file(path, query = {}) {
    return this.#answer("GET", path + suffixOf(query));
  }

  /** @param {object} headers further ones, "If-Match" say */
  post(path, body = {}, headers = {}) {
    return this.#request("POST", path, body, undefined, headers);
  }

  put(path, body, headers = {}) {
    return this.#request("PUT", path, body, undefined, headers);
  }

  patch(path, body) {
    return this.#request("PATCH", path, body);
  }

  delete(path) {
    return this.#request("DELETE", path);
  }

  /** The answer's body, null when there is none. Throws what `#answer` throws. */
  async #request(...asked) {
    const response = await this.#answer(...asked);
    return response.status === 204 ? null : response.json();
  }

  /** A good answer. Throws ApiError, ConnectionLost; AbortError after `signal`. */
  async #answer(method, path, body, signal, further = {}) {
    const opening = OPENING.includes(path);
    if (!opening && this.#session.hasRunOut) await this.#renewal.now();
    let response = await this.#send(method, path, body, signal, further, opening);
    if (response.status === 401 && !opening && (await this.#renewal.now())) {
      response = await this.#send(method, path, body, signal, further, opening);
    }
    if (response.ok) return response;
    const failure = new ApiError(response.status, (await response.json().catch(() => null))?.error);
    if (response.status === 401 && !opening) this.#onExpired();
    throw failure;
  }

  #send(method, path, body, signal, further, opening) {
    const token = this.#session.token;
    const headers = new Headers(opening ? { ...further, ...COOKIE_SESSION } : further);
    if (token && !opening) headers.set("Authorization", `Bearer ${token}`);
    if (body) headers.set("Content-Type", "application/json");
    const credentials = opening ? "same-origin" : "omit";
    const options = { method, headers, signal, body: body && JSON.stringify(body), credentials };
    return fetch(new URL(`v1${path}`, ROOT), options).catch((error) => {
      throw error.name === "AbortError" ? error : new ConnectionLost();
    });
  }
}
