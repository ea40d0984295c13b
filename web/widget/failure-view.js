/** Why there is no answer, and what the visitor can do about it. */

import { element, icon } from "./dom.js";
import { duration, fill, sentence } from "./texts.js";

/** Codes that mean the same to a visitor; an error of another code has its own text or comes in the server's words. */
const MEANING = {
  internal: "unavailable",
  answer_empty: "unavailable",
  unavailable: "unavailable",
  knowledge_unavailable: "unavailable",
  knowledge_source_busy: "unavailable",
  knowledge_source_failed: "unavailable",
  knowledge_source_missing: "unavailable",
  knowledge_source_rejected: "unavailable",
  moderation_unavailable: "unavailable",
  provider_busy: "unavailable",
  provider_failed: "unavailable",
  provider_rejected: "unavailable",
  provider_not_configured: "unavailable",
  answer_timeout: "answer_interrupted",
  resume_unavailable: "answer_interrupted",
  conversation_archived: "conversation_closed",
  conversation_paused: "conversation_closed",
  slow_down: "rate_limited",
};

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
    const meaning = meaningOf(code, retryAfter);
    const text = texts[`error_${code}`] || texts[`error_${meaning}`] || sentence(detail) || texts.error;
    this.#text.textContent = text;
    this.#retry.hidden = !retryable || meaning === "limit_reached";
    this.#retry.disabled = false;
    if (meaning === "rate_limited") this.#countDown(text, retryAfter);
  }

  #countDown(text, seconds) {
    const { texts, locale } = this.#configuration;
    const ends = Date.now() + seconds * 1000;
    this.#retry.disabled = true;
    const draw = () => {
      const left = (ends - Date.now()) / 1000;
      this.#text.textContent = fill(text, { time: duration(Math.max(left, 1), locale) });
      if (left > 0) return;
      clearInterval(this.#timer);
      this.#text.textContent = texts.error_rate_limited_over;
      this.#retry.disabled = false;
    };
    draw();
    this.#timer = setInterval(draw, 1000);
  }
}

function meaningOf(code, retryAfter) {
  const meaning = MEANING[code] ?? code;
  const waits = retryAfter && retryAfter <= LONGEST_COUNTDOWN_S;
  return code.endsWith("_reached") || (meaning === "rate_limited" && !waits) ? "limit_reached" : meaning;
}
