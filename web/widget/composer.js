/** Where the visitor writes. */

import { LONGEST_MESSAGE, lengthOf } from "./message.js";
import { element, icon } from "./dom.js";
import { fill } from "./texts.js";

/** The counter appears when this share of the longest message is used. */
const COUNTER_FROM = 0.8;

/** Emits `send` with the text as detail, and `stop`. */
export class Composer extends EventTarget {
  node = element("form", { class: "composer", novalidate: true });
  #texts;
  #field;
  #button;
  #counter = element("p", { class: "counter", hidden: true, role: "status" });
  #busy = false;

  constructor(texts) {
    super();
    this.#texts = texts;
    const label = { placeholder: texts.placeholder, "aria-label": texts.message };
    this.#field = element("textarea", { ...label, rows: "1", enterkeyhint: "send", autocomplete: "off" });
    this.#button = element("button", { class: "send", type: "submit" });
    this.node.append(element("div", { class: "field" }, this.#field, this.#button), this.#counter);
    this.#field.addEventListener("input", () => this.#update());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.node.addEventListener("submit", (event) => this.#submit(event));
    this.#update();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** While an answer is under way the button stops it and nothing can be sent. */
  set busy(busy) {
    this.#busy = busy;
    this.#update();
  }

  #key(event) {
    // While an input method composes (Japanese, Chinese ...), Enter chooses a word; 229 is Safari's way to say so.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    if (!this.#busy) this.node.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    if (this.#busy) return this.dispatchEvent(new Event("stop"));
    if (!this.#sendable) return;
    this.dispatchEvent(new CustomEvent("send", { detail: this.#field.value }));
    this.#field.value = "";
    this.#update();
  }

  get #length() {
    return lengthOf(this.#field.value.trim());
  }

  get #sendable() {
    return this.#length > 0 && this.#length <= LONGEST_MESSAGE;
  }

  #update() {
    const label = this.#busy ? this.#texts.stop : this.#texts.send;
    this.#button.replaceChildren(icon(this.#busy ? "stop" : "send"));
    this.#button.setAttribute("aria-label", label);
    this.#button.title = label;
    this.#button.disabled = !this.#busy && !this.#sendable;
    this.#counter.hidden = this.#length < LONGEST_MESSAGE * COUNTER_FROM;
    this.#counter.textContent = this.#counter.hidden
      ? ""
      : fill(this.#texts.characters, { count: this.#length, limit: LONGEST_MESSAGE });
    const tooLong = this.#length > LONGEST_MESSAGE;
    this.#counter.classList.toggle("over", tooLong);
    this.#field.setAttribute("aria-invalid", String(tooLong));
    // An empty field has no letter to go by: its placeholder reads in the widget's own direction.
    this.#field.dir = this.#field.value ? "auto" : "";
    this.#grow();
  }

  /** As high as its text; the style sheet sets the limit. */
  #grow() {
    this.#field.style.height = "auto";
    if (this.#field.scrollHeight) this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
