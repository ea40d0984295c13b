/** Why there is no answer, and what the visitor can do about it. */

import { element, icon } from "./dom.js";
import { duration, fill } from "./texts.js";

/** Longer waits are not counted down second by second. */
const LONGEST_COUNTDOWN_S = 3_600;

/** Draws one answer's failure with a retry button; while the server asks to wait it counts the time down. */
export class FailureView {
  node = element("div", { class: "failure", hidden: true });
  #configuration;
  #text = element("p", { dir: "auto" });
  #retry;
  #timer = null;
  #shown = null;

  constructor(configuration, retry) {
    this.#configuration = configuration;
    this.#retry = element("button", { class: "quiet", type: "button", onclick: retry }, configuration.texts.retry);
    this.node.append(icon("alert"), this.#text, this.#retry);
  }

  /** Show a failure, or nothing when it is null. */
  show(failure) {
    if (failure === this.#shown) return;
    this.#shown = failure;
    clearInterval(this.#timer);
    this.node.hidden = !failure;
    if (failure) this.#draw(failure);
  }

  #draw({ code, detail, retryable, retryAfter }) {
    const { texts } = this.#configuration;
    this.#text.textContent = texts[`error_${code}`] || detail || texts.error;
    this.#retry.hidden = !retryable;
    this.#retry.disabled = false;
    if (code !== "rate_limited") return;
    if (retryAfter && retryAfter <= LONGEST_COUNTDOWN_S) this.#countDown(retryAfter);
    else this.#text.textContent = detail || texts.error;
  }

  #countDown(seconds) {
    const { texts, locale } = this.#configuration;
    const ends = Date.now() + seconds * 1000;
    this.#retry.disabled = true;
    const draw = () => {
      const left = (ends - Date.now()) / 1000;
      this.#text.textContent = fill(texts.error_rate_limited, { time: duration(Math.max(left, 1), locale) });
      if (left > 0) return;
      clearInterval(this.#timer);
      this.#text.textContent = texts.error_rate_limited_over;
      this.#retry.disabled = false;
    };
    draw();
    this.#timer = setInterval(draw, 1000);
  }
}
