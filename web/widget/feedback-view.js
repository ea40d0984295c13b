/** Thumbs under an answer, and the question that follows a thumb down. */

import { element, icon } from "./dom.js";

const REASONS = ["wrong", "incomplete", "unclear", "other"];

/** Asks for an opinion on one answer and reports it through `rate({rating, reason, text})`. */
export class FeedbackView {
  buttons;
  form = element("form", { class: "feedback", hidden: true });
  #texts;
  #rate;
  #announce;

  /**
   * @param {object} texts
   * @param {(feedback: object) => Promise<void>} rate
   * @param {(text: string) => void} announce says what has happened
   */
  constructor(texts, rate, announce) {
    this.#texts = texts;
    this.#rate = rate;
    this.#announce = announce;
    this.buttons = [this.#thumb("up", texts.helpful), this.#thumb("down", texts.not_helpful)];
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.#fillForm();
  }

  /** Show which thumb is chosen. */
  show(rating) {
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.rating === rating));
  }

  #thumb(rating, label) {
    const onclick = () => this.#choose(rating);
    const attributes = { type: "button", "data-rating": rating, "aria-label": label, title: label, onclick };
    return element("button", { class: `action thumb-${rating}`, ...attributes }, icon("up"));
  }

  async #choose(rating) {
    this.form.hidden = rating === "up";
    if (rating === "down") this.form.querySelector("input").focus();
    await this.#send({ rating });
  }

  async #submit(event) {
    event.preventDefault();
    const { reason, text } = Object.fromEntries(new FormData(this.form));
    this.#close();
    await this.#send({ rating: "down", reason, text: text.trim() || undefined });
  }

  /** The focus was in it, and goes back to where it came from. */
  #close() {
    this.form.hidden = true;
    this.buttons[1].focus();
  }

  async #send(feedback) {
    try {
      await this.#rate(feedback);
      this.#announce(this.#texts.feedback_thanks);
    } catch {
      this.#announce(this.#texts.feedback_failed);
    }
  }

  #fillForm() {
    const texts = this.#texts;
    const reasons = REASONS.map((reason) => {
      const choice = element("input", { type: "radio", name: "reason", value: reason });
      return element("label", {}, choice, element("span", {}, texts[`feedback_${reason}`]));
    });
    const label = { placeholder: texts.feedback_text, "aria-label": texts.feedback_text };
    this.form.append(
      element("fieldset", {}, element("legend", {}, texts.feedback_question), ...reasons),
      element("textarea", { name: "text", rows: "2", maxlength: "1000", dir: "auto", ...label }),
      element("button", { class: "primary", type: "submit" }, texts.feedback_send),
      element("button", { class: "quiet", type: "button", onclick: () => this.#close() }, texts.feedback_cancel),
    );
  }
}
