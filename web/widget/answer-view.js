/** An answer on screen. */

import { element, icon } from "./dom.js";
import { FailureView } from "./failure-view.js";
import { FeedbackView } from "./feedback-view.js";
import { RichText } from "./rich-text.js";
import { SourcesView } from "./sources-view.js";
import { fill, sentence } from "./texts.js";
import { Typewriter } from "./typewriter.js";
import { VersionsView } from "./versions-view.js";

const COPIED_MS = 2_000;

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
  #again;
  #versions;
  #activity = element("p", { class: "activity", hidden: true });
  #warning = element("p", { class: "warning", hidden: true, dir: "auto" });
  #actions = element("div", { class: "actions", hidden: true });

  /**
   * @param {import("./message.js").Message} answer
   * @param {object} configuration
   * @param {{retry: () => void, regenerate: () => void, go: (id: string, step: number) => void,
   *          rate: (feedback: object) => Promise<void>, announce: (text: string) => void, grown: () => void,
   *          still: boolean}} around what the view asks of its surroundings
   */
  constructor(answer, configuration, { retry, regenerate, go, rate, announce, grown, still }) {
    const { texts, name } = configuration;
    this.#answer = answer;
    this.#configuration = configuration;
    this.#announce = announce;
    this.#sources = new SourcesView(texts);
    this.#text = new RichText((marker) => (configuration.sources ? this.#sources.marker(marker) : element("i")));
    this.#failure = new FailureView(configuration, retry);
    this.#feedback = new FeedbackView(texts, rate, announce);
    const again = { type: "button", "aria-label": texts.regenerate, title: texts.regenerate, onclick: regenerate };
    this.#again = element("button", { class: "action again", ...again }, icon("again"));
    this.#versions = new VersionsView(answer, texts, go);
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
    this.#warning.textContent = warning && warningText(warning, this.#configuration.texts);
    this.#warning.hidden = !warning;
    this.#feedback.show(rating);
    this.#failure.show(failure);
    this.#showActivity();
    this.#showEnding();
  }

  /** Put the focus where it was when the visitor went to this version. */
  focusVersions(step) {
    this.#versions.focus(step);
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
    this.#showActions(ended);
    if (!ended || !this.#configuration.sources) this.#sources.conceal();
    else if (this.#sources.node.hidden) this.#sources.reveal();
  }

  #showActions(ended) {
    const { id, text, failure } = this.#answer;
    this.#versions.update();
    for (const button of this.#actions.querySelectorAll(".about")) button.hidden = !id || !text;
    this.#again.hidden = !id || Boolean(failure);
    this.#actions.hidden = !ended || [...this.#actions.children].every((child) => child.hidden);
  }

  #fillActions() {
    const { texts, feedback } = this.#configuration;
    const label = { type: "button", "aria-label": texts.copy, title: texts.copy };
    const copy = element("button", { class: "action copy", ...label, onclick: () => this.#copy(copy) }, icon("copy"));
    const about = [copy, ...this.#feedback.buttons];
    for (const button of about) button.classList.add("about");
    if (navigator.clipboard) this.#actions.append(copy); // missing on pages served without TLS
    if (feedback) this.#actions.append(...this.#feedback.buttons);
    this.#actions.append(this.#again, this.#versions.node);
  }

  async #copy(button) {
    await navigator.clipboard.writeText(this.#answer.text);
    this.#announce(this.#configuration.texts.copied);
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon("copy")), COPIED_MS);
  }
}

/** In the widget's own words where it has some. */
function warningText({ code, detail }, texts) {
  const own = texts[`warning_${code}`] ?? (code.endsWith("_nearly_reached") ? texts.warning_nearly_reached : null);
  return own ?? fill(texts.warning, { detail: sentence(detail) });
}
