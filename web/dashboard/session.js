/** Who is logged in: the access token for this browser tab; the refresh token is in a cookie that no script sees. */

const NAME = "chatconnect.session";
const AHEAD_MS = 5000;

/** A staff member's session. The token is kept in the tab's own storage, which no other tab can read. */
export class Session {
  #storage;
  #now;
  #kept;

  /** @param {Storage} storage @param {() => number} now milliseconds */
  constructor(storage, now = Date.now) {
    this.#storage = storage;
    this.#now = now;
    this.#kept = read(storage);
  }

  /** The access token, null when nobody is logged in or it has run out. */
  get token() {
    return this.#kept && this.#kept.ends > this.#now() ? this.#kept.token : null;
  }

  /** Whether there was a token that has run out, or is about to while a request is on its way. */
  get hasRunOut() {
    return this.#kept !== null && this.#kept.ends - AHEAD_MS <= this.#now();
  }

  /** The member's e-mail address, as they typed it. */
  get email() {
    return this.#kept?.email ?? "";
  }

  /** The member's role: owner, admin, agent or viewer. */
  get role() {
    return this.#kept?.member.role ?? "";
  }

  get accountId() {
    return this.#kept?.member.account_id ?? null;
  }

  get memberId() {
    return this.#kept?.member.member_id ?? null;
  }

  /** @param {{access_token: string, expires_in: number, member: object}} opened what log-in and registration answer */
  open(opened, email) {
    const ends = this.#now() + opened.expires_in * 1000;
    this.#kept = { token: opened.access_token, ends, member: opened.member, email };
    this.#storage.setItem(NAME, JSON.stringify(this.#kept));
  }

  close() {
    this.#kept = null;
    this.#storage.removeItem(NAME);
  }
}

function read(storage) {
  try {
    return JSON.parse(storage.getItem(NAME));
  } catch {
    return null; // not ours, or cut off: log in again
  }
}
