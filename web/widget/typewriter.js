/** Turns the uneven arrival of tokens into even typing. */

/** Shows a growing text a few characters per frame, faster the more is waiting. */
export class Typewriter {
  #show;
  #still;
  #text = "";
  #shown = 0;
  #frame = null;

  /**
   * @param {(text: string) => void} show
   * @param {boolean} still show what arrives at once (the visitor prefers less motion)
   */
  constructor(show, still) {
    this.#show = show;
    this.#still = still;
  }

  /** Whether everything that has arrived is on screen. */
  get idle() {
    return this.#shown >= this.#text.length;
  }

  /** Type up to this text; one that does not continue the last is shown at once. */
  type(text) {
    const continues = text.startsWith(this.#text);
    this.#text = text;
    if (this.#still || document.hidden || !continues) this.finish();
    else if (!this.idle) this.#frame ??= requestAnimationFrame(() => this.#step());
  }

  /** Show all there is. */
  finish() {
    if (this.#frame) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#shown = this.#text.length;
    this.#show(this.#text);
  }

  #step() {
    this.#frame = null;
    const waiting = this.#text.length - this.#shown;
    this.#shown += Math.ceil(waiting / 12);
    if (isHalfOfPair(this.#text, this.#shown)) this.#shown += 1;
    if (this.idle) return this.finish();
    this.#show(this.#text.slice(0, this.#shown));
    this.#frame = requestAnimationFrame(() => this.#step());
  }
}

function isHalfOfPair(text, end) {
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code < 0xdc00;
}
