/** The list of messages, or a greeting while there are none. */

import { AnswerView } from "./answer-view.js";
import { element, icon } from "./dom.js";
import { leadForm } from "./lead-view.js";
import { QuestionView } from "./question-view.js";
import { fill } from "./texts.js";

/** Closer to the end than this, the list follows what is added. */
const FOLLOW_PX = 80;

/**
 * Draws a conversation; emits `ask` with a suggested question as detail, and `edit` with a question and its new text.
 */
export class Transcript extends EventTarget {
  node;
  #conversation;
  #configuration;
  #announce;
  #bring;
  #leave;
  #views = new Map();
  #following = true;
  #lookedUp = null;

  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {object} configuration
   * @param {{announce: (text: string) => void, bring: (load: () => Promise<void>) => Promise<boolean>,
   *          leave: ((lead: object) => Promise<void>) | null}} around
   *   `announce` tells screen readers, `bring` loads messages and says whether that worked, `leave` sends the form
   */
  constructor(conversation, configuration, { announce, bring, leave }) {
    super();
    this.#conversation = conversation;
    this.#configuration = configuration;
    this.#announce = announce;
    this.#bring = bring;
    this.#leave = leave;
    // Not live itself: a log that changes letter by letter would be read letter by letter.
    const live = { role: "log", "aria-live": "off", "aria-label": configuration.texts.conversation, tabindex: "0" };
    this.node = element("div", { class: "transcript", ...live });
    this.node.addEventListener("scroll", () => (this.#following = this.#atEnd), { passive: true });
    conversation.addEventListener("message", ({ detail }) => this.#add(detail));
    conversation.addEventListener("change", ({ detail }) => this.#change(detail));
    conversation.addEventListener("removed", ({ detail }) => this.#remove(detail));
    conversation.addEventListener("restart", () => this.draw());
    conversation.addEventListener("busy", () => this.node.classList.toggle("busy", conversation.busy));
    conversation.addEventListener("answer", ({ detail }) => this.#speak(this.#spoken(detail)));
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

  /** Whether the visitor is putting a question in other words. */
  get editing() {
    return this.node.querySelector(".editing") !== null;
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
    const view = message.role === "user" ? this.#questionView(message) : this.#answerView(message);
    this.#views.set(message, view);
    this.node.append(view.node);
    this.scrollToEnd();
  }

  #remove(messages) {
    for (const message of messages) {
      this.#views.get(message)?.node.remove();
      this.#views.delete(message);
    }
  }

  #questionView(question) {
    return new QuestionView(question, this.#configuration.texts, {
      edit: (text) => this.dispatchEvent(new CustomEvent("edit", { detail: { question, text } })),
      go: (id, step) => this.#go(id, step),
    });
  }

  #answerView(answer) {
    return new AnswerView(answer, this.#configuration, {
      retry: () => this.#conversation.retry(answer),
      regenerate: () => this.#regenerate(answer),
      go: (id, step) => this.#go(id, step),
      rate: (feedback) => this.#conversation.rate(answer, feedback),
      announce: this.#announce,
      grown: () => this.#follow(),
      still: matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
  }

  #regenerate(answer) {
    this.node.focus({ preventScroll: true }); // the button is about to go
    this.#conversation.regenerate(answer);
  }

  async #go(id, step) {
    if (!(await this.#bring(() => this.#conversation.show(id)))) return;
    const shown = this.#conversation.messages.find((message) => message.id === id);
    if (!shown) return;
    const { siblings } = shown;
    this.#views.get(shown).focusVersions(step);
    const values = { number: siblings.indexOf(id) + 1, count: siblings.length };
    this.#announce(fill(this.#configuration.texts.version_shown, values));
  }

  #change(message) {
    this.#views.get(message)?.update();
    this.#follow();
    if (message.activity !== "using_tool" || this.#lookedUp === message) return;
    this.#lookedUp = message; // once per answer, however many tools it takes
    this.#announce(this.#configuration.texts.using_tool);
  }

  #follow() {
    if (this.#following) this.node.scrollTop = this.node.scrollHeight;
  }

  #speak(text) {
    const { texts, name } = this.#configuration;
    this.#announce(`${fill(texts.assistant_said, { name })} ${text}`);
  }

  #spoken({ text, state }) {
    return state === "stopped" ? `${text} ${this.#configuration.texts.stopped}` : text;
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
    list.hidden = Boolean(this.#leave && this.#configuration.leadForm.required);
    const greeting = element("p", { class: "greeting", dir: "auto" }, texts.greeting);
    const introduction = element("p", { class: "introduction", dir: "auto" }, texts.introduction);
    const form = this.#leave && leadForm(this.#configuration, (lead) => this.#left(lead, list));
    return element("div", { class: "welcome" }, greeting, introduction, form, suggestions.length ? list : null);
  }

  async #left(lead, suggestions) {
    await this.#leave(lead);
    this.#leave = null; // once is enough
    suggestions.hidden = false;
  }
}
