/** Staying logged in: the access token is exchanged for the next one with a refresh token that no script sees. */

/** Tells the server to keep the refresh token in its cookie; without it the cookie counts for nothing there. */
export const COOKIE_SESSION = { "X-Session": "cookie" };

/** Renews a session, for however many requests that need it at once only one time. */
export class Renewal {
  #session;
  #url;
  #fetch;
  #running = null;

  /**
   * @param {import("./session.js").Session} session
   * @param {URL} root where `v1/` is
   */
  constructor(session, root, fetch = globalThis.fetch.bind(globalThis)) {
    this.#session = session;
    this.#url = new URL("v1/auth/", root);
    this.#fetch = fetch;
  }

  /** Get the next access token. @returns {Promise<boolean>} whether there is a token to go on with */
  now() {
    this.#running ??= this.#renew().finally(() => (this.#running = null));
    return this.#running;
  }

  async #renew() {
    const options = { method: "POST", headers: COOKIE_SESSION, credentials: "same-origin" };
    const answer = await this.#fetch(new URL("refresh", this.#url), options).catch(() => null);
    if (answer === null || answer.status >= 500) return this.#session.token !== null;
    if (!answer.ok) return false;
    const opened = await answer.json();
    if (![null, opened.member.account_id].includes(this.#session.accountId)) return false; // somebody else's by now
    this.#session.open(opened, this.#session.email || (await this.#emailOf(opened.access_token)));
    return true;
  }

  /** In a tab that has just been opened only the cookie says that somebody is logged in, and not who. */
  async #emailOf(token) {
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await this.#fetch(new URL("me", this.#url), { headers, credentials: "omit" }).catch(() => null);
    return answer?.ok ? (await answer.json()).email : "";
  }
}
