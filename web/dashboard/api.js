/** The staff's side of ChatConnect's HTTP interface. */

import { sentence } from "./format.js";

/** The page lies at `dashboard/` beside `v1/`, wherever both are mounted. */
const ROOT = new URL("../", import.meta.url);

/** The server answered, and the answer is no. `message` is written for people, `fields` says what is wrong where. */
export class ApiError extends Error {
  name = "ApiError";

  /** @param {number} status @param {{code?: string, message?: string, details?: object, trace_id?: string}} error */
  constructor(status, { code = "unknown", message = "", details = {}, trace_id: traceId = null } = {}) {
    super(sentence(message || `the server answered with status ${status}`));
    this.status = status;
    this.code = code;
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

/** All requests of the dashboard, with the session's token. */
export class Api {
  #session;
  #onExpired;

  /**
   * @param {import("./session.js").Session} session
   * @param {() => void} onExpired called when the server no longer accepts the session
   */
  constructor(session, onExpired) {
    this.#session = session;
    this.#onExpired = onExpired;
  }

  /** @param {string} path below `/v1` @param {object} query entries that are null or undefined are left out */
  get(path, query = {}, signal = undefined) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const suffix = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
    return this.#request("GET", path + suffix, undefined, signal);
  }

  post(path, body = {}) {
    return this.#request("POST", path, body);
  }

  put(path, body) {
    return this.#request("PUT", path, body);
  }

  delete(path) {
    return this.#request("DELETE", path);
  }

  /** The answer's body, null when there is none. Throws ApiError, ConnectionLost; AbortError after `signal`. */
  async #request(method, path, body, signal) {
    const token = this.#session.token;
    const headers = new Headers();
    if (token) headers.set("Authorization", `Bearer ${token}`);
    if (body) headers.set("Content-Type", "application/json");
    const options = { method, headers, signal, body: body && JSON.stringify(body), credentials: "omit" };
    const response = await fetch(new URL(`v1${path}`, ROOT), options).catch((error) => {
      throw error.name === "AbortError" ? error : new ConnectionLost();
    });
    if (response.ok) return response.status === 204 ? null : response.json();
    const failure = new ApiError(response.status, (await response.json().catch(() => null))?.error);
    if (response.status === 401 && !path.startsWith("/auth/")) this.#onExpired();
    throw failure;
  }
}
