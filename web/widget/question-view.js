/** The visitor's own message on screen. */

import { element, icon } from "./dom.js";
import { LONGEST_MESSAGE } from "./message.js";
import { VersionsView } from "./versions-view.js";

/** Text, and nothing but text; it can be put in other words. */
export class QuestionView {
  node = element("article", { class: "message user" });
  #question;
  #texts;
  #edit;
  #said;
  #button;
  #form = element("form", { class: "edit", hidden: true });
  #field;
  #versions;

  /**
   * @param {import("./message.js").Message} question
   * @param {object} texts
   * @param {{edit: (text: string) => void, go: (id: string, step: number) => void}} around what the view asks of its
   *   surroundings
   */
  constructor(question, texts, { edit, go }) {
    this.#question = question;
    this.#texts = texts;
    this.#edit = edit;
    this.#versions = new VersionsView(question, texts, go);
    const label = { type: "button", "aria-label": texts.edit, title: texts.edit };
    this.#button = element("button", { class: "action change", ...label, onclick: () => this.#open() }, icon("edit"));
    const bubble = element("p", { class: "bubble", dir: "auto" }, question.text);
    this.#said = element("div", { class: "said" }, this.#button, bubble);
    this.#fillForm();
    const speaker = element("span", { class: "unseen" }, `${texts.you_said} `);
    this.node.append(speaker, this.#said, this.#form, this.#versions.node);
  }

  /** Show the question as it is now. */
  update() {
    this.#versions.update();
  }

  /** Put the focus where it was when the visitor went to this version. */
  focusVersions(step) {
    this.#versions.focus(step);
  }

  #fillForm() {
    const { edit_message: label, edit_send: send, edit_cancel: cancel } = this.#texts;
    this.#field = element("textarea", { "aria-label": label, rows: "2", maxlength: LONGEST_MESSAGE, dir: "auto" });
    const back = element("button", { class: "quiet", type: "button", onclick: () => this.#close() }, cancel);
    this.#form.append(this.#field, back, element("button", { class: "primary", type: "submit" }, send));
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#form.addEventListener("keydown", (event) => this.#key(event));
  }

  #open() {
    this.#show({ editing: true });
    this.#field.value = this.#question.text;
    this.#field.focus({ preventScroll: true });
    this.#form.scrollIntoView({ block: "nearest" });
  }

  #close() {
    this.#show({ editing: false });
    this.#button.focus();
  }

  #show({ editing }) {
    this.node.classList.toggle("editing", editing);
    this.#form.hidden = !editing;
    this.#said.hidden = editing;
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#field.value.trim();
    if (text === this.#question.text) this.#close();
    else if (text) this.#edit(text);
  }

  #key(event) {
    if (event.isComposing || event.keyCode === 229) return; // the keys are the input method's, as in the composer
    if (event.key === "Escape") {
      event.stopPropagation(); // it closes the form, not the chat
      this.#close();
    }
    if (event.key === "Enter" && !event.shiftKey && event.target === this.#field) {
      event.preventDefault();
      this.#form.requestSubmit();
    }
  }
}
