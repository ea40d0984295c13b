/** Server-Sent Events out of a fetch body: `EventSource` can send neither a POST nor a header. */

/** A server that is alive sends at least a comment every 15 s, so three missed ones mean a dead line. */
const IDLE_MS = 45_000;

/** Raised when the line stays silent for longer than a living server ever would. */
export class StreamStalled extends Error {
  name = "StreamStalled";
}

/** Turns text, cut anywhere, into events. */
export class EventParser {
  #rest = "";
  #endedInReturn = false;
  #id = "";
  #type = "";
  #data = [];

  /**
   * Take the next piece of text and return the events that it completes.
   * @param {string} text
   * @returns {{id: string, type: string, data: string}[]}
   */
  push(text) {
    const fresh = this.#endedInReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#endedInReturn = text.endsWith("\r");
    const lines = (this.#rest + fresh).split(/\r\n|\r|\n/);
    this.#rest = lines.pop();
    return lines.map((line) => this.#take(line)).filter(Boolean);
  }

  #take(line) {
    if (line === "") return this.#dispatch();
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "id" && !value.includes("\0")) this.#id = value;
    if (name === "event") this.#type = value;
    if (name === "data") this.#data.push(value);
    return null;
  }

  #dispatch() {
    const event = { id: this.#id, type: this.#type || "message", data: this.#data.join("\n") };
    const complete = this.#data.length > 0;
    this.#type = "";
    this.#data = [];
    return complete ? event : null;
  }
}

/**
 * Yield the events of a response body until it ends.
 * Raises StreamStalled after `idleMs` without a byte, or whatever breaks the connection.
 * @param {ReadableStream<Uint8Array>} body
 */
export async function* readEvents(body, idleMs = IDLE_MS) {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await withinTime(reader.read(), idleMs);
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {}); // it may be broken already, which is no news here
  }
}

async function withinTime(promise, milliseconds) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new StreamStalled("the stream is silent")), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
