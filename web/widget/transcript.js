/** The list of messages, or a greeting while there are none. */

import { element, icon } from "./dom.js";
import { AnswerView, questionView } from "./message-view.js";
import { fill } from "./texts.js";

/** Closer to the end than this, the list follows what is added. */
const FOLLOW_PX = 80;

/** Draws a conversation; emits `ask` with a suggested question as detail. */
export class Transcript extends EventTarget {
  node;
  #conversation;
  #configuration;
  #announce;
  #views = new Map();
  #following = true;

  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {object} configuration
   * @param {(text: string) => void} announce tells screen readers
   */
  constructor(conversation, configuration, announce) {
    super();
    this.#conversation = conversation;
    this.#configuration = configuration;
    this.#announce = announce;
    // Not live itself: a log that changes letter by letter would be read letter by letter.
    const live = { role: "log", "aria-live": "off", "aria-label": configuration.texts.conversation, tabindex: "0" };
    this.node = element("div", { class: "transcript", ...live });
    this.node.addEventListener("scroll", () => (this.#following = this.#atEnd), { passive: true });
    conversation.addEventListener("message", ({ detail }) => this.#add(detail));
    conversation.addEventListener("change", ({ detail }) => this.#change(detail));
    conversation.addEventListener("restart", () => this.draw());
    conversation.addEventListener("answer", ({ detail }) => this.#speak(detail.text));
    conversation.addEventListener("failure", () => this.#speak(this.#failureText()));
    this.draw();
  }

  /** Draw everything anew. */
  draw() {
    this.#views.clear();
    const { messages } = this.#conversation;
    this.node.replaceChildren(...(messages.length ? [] : [this.#welcome()]));
    for (const message of messages) this.#add(message);
    this.scrollToEnd();
  }

  scrollToEnd() {
    this.#following = true;
    this.node.scrollTop = this.node.scrollHeight;
  }

  get #atEnd() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < FOLLOW_PX;
  }

  #add(message) {
    this.node.querySelector(".welcome")?.remove();
    if (message.role === "user") {
      this.node.append(questionView(message, this.#configuration.texts));
    } else {
      const view = this.#answerView(message);
      this.#views.set(message, view);
      this.node.append(view.node);
    }
    this.scrollToEnd();
  }

  #answerView(answer) {
    return new AnswerView(answer, this.#configuration, {
      retry: () => this.#conversation.retry(answer),
      rate: (feedback) => this.#conversation.rate(answer, feedback),
      announce: this.#announce,
      grown: () => this.#follow(),
      still: matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
  }

  #change(message) {
    this.#views.get(message)?.update();
    this.#follow();
  }

  #follow() {
    if (this.#following) this.node.scrollTop = this.node.scrollHeight;
  }

  #speak(text) {
    const { texts, name } = this.#configuration;
    this.#announce(`${fill(texts.assistant_said, { name })} ${text}`);
  }

  #failureText() {
    return this.node.querySelector(".message:last-child .failure p")?.textContent ?? this.#configuration.texts.error;
  }

  #welcome() {
    const { texts, suggestedQuestions } = this.#configuration;
    const ask = (detail) => this.dispatchEvent(new CustomEvent("ask", { detail }));
    const suggestions = suggestedQuestions.map((question) => {
      const attributes = { type: "button", dir: "auto", onclick: () => ask(question) };
      return element("li", {}, element("button", attributes, question, icon("send")));
    });
    const list = element("ul", { class: "suggestions", "aria-label": texts.suggestions }, ...suggestions);
    const greeting = element("p", { class: "greeting", dir: "auto" }, texts.greeting);
    const introduction = element("p", { class: "introduction", dir: "auto" }, texts.introduction);
    return element("div", { class: "welcome" }, greeting, introduction, suggestions.length ? list : null);
  }
}
