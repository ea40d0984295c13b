/** What the server says by itself, over a WebSocket. Without one the views ask again and again instead. */

const RENEW_MS = 5 * 60 * 1000; // a connection hears for 15 minutes, and API Gateway ends one that is silent for ten
const PAUSES_MS = [1_000, 5_000, 30_000, 60_000];

/** Keeps a connection open, and hands over what is heard, until it is closed. */
export class Live {
  #session;
  #addressOf;
  #onMessage;
  #onChange;
  #open;
  #socket = null;
  #timer = null;
  #renewing = null;
  #failures = 0;
  #closed = false;

  /**
   * @param {object} options
   * @param {{token: string | null}} options.session
   * @param {() => Promise<string | null>} options.addressOf resolves to the WebSocket's address; null: there is none
   * @param {(message: object) => void} options.onMessage
   * @param {(connected: boolean) => void} options.onChange called when it begins or ceases to hear
   * @param {(url: string) => WebSocket} options.open
   */
  constructor({ session, addressOf, onMessage, onChange = () => {}, open = (url) => new WebSocket(url) }) {
    this.#session = session;
    this.#addressOf = addressOf;
    this.#onMessage = onMessage;
    this.#onChange = onChange;
    this.#open = open;
    this.#connect();
  }

  /** Whether it hears what is said now. */
  get connected() {
    return this.#socket?.readyState === 1;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#renewing);
    this.#socket?.close();
  }

  async #connect() {
    const url = await this.#addressOf().catch(() => undefined);
    if (this.#closed || url === null) return;
    if (url === undefined || !this.#session.token) {
      this.#again();
      return;
    }
    this.#socket = this.#open(`${url}?${new URLSearchParams({ token: this.#session.token })}`);
    this.#socket.onopen = () => this.#opened();
    this.#socket.onmessage = ({ data }) => this.#hear(data);
    this.#socket.onclose = () => this.#ended();
  }

  #opened() {
    this.#failures = 0;
    this.#renewing = setInterval(() => this.#renew(), RENEW_MS);
    this.#onChange(true);
  }

  /** Show the session's present token: the one that the connection began with has nearly run out. */
  #renew() {
    if (this.#session.token) this.#socket.send(JSON.stringify({ action: "renew", token: this.#session.token }));
  }

  #hear(data) {
    const message = JSON.parse(data);
    if (message.error) this.#socket.close(); // not renewed: begin anew
    else if (message.type) this.#onMessage(message);
  }

  #ended() {
    clearInterval(this.#renewing);
    if (this.#closed) return;
    this.#onChange(false);
    this.#again();
  }

  #again() {
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), pause);
  }
}
