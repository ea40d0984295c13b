/** One message on screen. */

import { element, icon } from "./dom.js";
import { FailureView } from "./failure-view.js";
import { FeedbackView } from "./feedback-view.js";
import { RichText } from "./rich-text.js";
import { SourcesView } from "./sources-view.js";
import { fill } from "./texts.js";
import { Typewriter } from "./typewriter.js";

const COPIED_MS = 2_000;

/** The visitor's own message: text, and nothing but text. */
export function questionView(message, texts) {
  const speaker = element("span", { class: "unseen" }, `${texts.you_said} `);
  const bubble = element("p", { class: "bubble", dir: "auto" }, message.text);
  return element("article", { class: "message user" }, speaker, bubble);
}

/** An answer: typed while it streams, then its sources and what can be done with it. */
export class AnswerView {
  node = element("article", { class: "message assistant" });
  #answer;
  #configuration;
  #announce;
  #sources;
  #text;
  #typewriter;
  #failure;
  #feedback;
  #activity = element("p", { class: "activity", hidden: true });
  #warning = element("p", { class: "warning", hidden: true, dir: "auto" });
  #actions = element("div", { class: "actions", hidden: true });

  /**
   * @param {import("./conversation.js").Message} answer
   * @param {object} configuration
   * @param {{retry: () => void, rate: (feedback: object) => Promise<void>, announce: (text: string) => void,
   *          grown: () => void, still: boolean}} around what the view asks of its surroundings
   */
  constructor(answer, configuration, { retry, rate, announce, grown, still }) {
    const { texts, name } = configuration;
    this.#answer = answer;
    this.#configuration = configuration;
    this.#announce = announce;
    this.#sources = new SourcesView(texts);
    this.#text = new RichText((marker) => this.#sources.marker(marker));
    this.#failure = new FailureView(configuration, retry);
    this.#feedback = new FeedbackView(texts, rate, announce);
    const instant = still || answer.state !== "streaming";
    this.#typewriter = new Typewriter((text) => this.#show(text, grown), instant);
    this.#fillActions();
    const speaker = element("span", { class: "unseen" }, `${fill(texts.assistant_said, { name })} `);
    const parts = [this.#text.node, this.#activity, this.#warning, this.#failure.node, this.#sources.node];
    this.node.append(speaker, ...parts, this.#actions, this.#feedback.form);
    this.update();
  }

  /** Show the answer as it is now. */
  update() {
    const { text, citations, warning, rating, failure } = this.#answer;
    this.#sources.learn(citations);
    this.#typewriter.type(text);
    this.#warning.textContent = warning;
    this.#warning.hidden = !warning;
    this.#feedback.show(rating);
    this.#failure.show(failure);
    this.#showActivity();
    this.#showEnding();
  }

  #show(text, grown) {
    this.#text.show(text, this.#sources.known);
    this.#showEnding();
    grown();
  }

  #showActivity() {
    const { texts } = this.#configuration;
    const { activity, state } = this.#answer;
    const label = state === "stopped" ? texts.stopped : texts[activity];
    this.#activity.hidden = !label;
    this.#activity.classList.toggle("still", state === "stopped");
    if (this.#activity.textContent !== (label ?? "")) {
      const dots = element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
      this.#activity.replaceChildren(...(state === "stopped" ? [] : [dots]), label ?? "");
    }
  }

  /** Sources and actions wait until the last letter is typed. */
  #showEnding() {
    const ended = this.#answer.state !== "streaming" && this.#typewriter?.idle;
    this.node.classList.toggle("typing", this.#answer.state === "streaming" && this.#answer.text !== "");
    this.node.setAttribute("aria-busy", String(!ended));
    this.#actions.hidden = !ended || !this.#answer.text || !this.#answer.id;
    if (!ended) this.#sources.conceal();
    else if (this.#sources.node.hidden) this.#sources.reveal();
  }

  #fillActions() {
    const { texts, feedback } = this.#configuration;
    const label = { type: "button", "aria-label": texts.copy, title: texts.copy };
    const copy = element("button", { class: "action copy", ...label, onclick: () => this.#copy(copy) }, icon("copy"));
    if (navigator.clipboard) this.#actions.append(copy); // missing on pages served without TLS
    if (feedback) this.#actions.append(...this.#feedback.buttons);
  }

  async #copy(button) {
    await navigator.clipboard.writeText(this.#answer.text);
    this.#announce(this.#configuration.texts.copied);
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon("copy")), COPIED_MS);
  }
}
