/** The open chat: header, transcript, composer. */

import { Composer } from "./composer.js";
import { element, icon } from "./dom.js";
import { Transcript } from "./transcript.js";

/** Draws a conversation in a dialog; emits `close`. */
export class Panel extends EventTarget {
  node;
  #conversation;
  #configuration;
  #transcript;
  #composer;
  #notice = element("div", { class: "notice", role: "status", hidden: true });
  #live = element("div", { class: "unseen", role: "status", "aria-live": "polite" });

  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {object} configuration
   * @param {((lead: object) => Promise<void>) | null} leave sends the form; null: there is none to fill in
   */
  constructor(conversation, configuration, leave) {
    super();
    this.#conversation = conversation;
    this.#configuration = configuration;
    const announce = (text) => (this.#live.textContent = text);
    this.#composer = new Composer(configuration.texts);
    const send = leave && (async (lead) => {
      await leave(lead);
      this.#composer.node.hidden = false;
    });
    const around = { announce, bring: (load) => this.#bring(load), leave: send };
    this.#transcript = new Transcript(conversation, configuration, around);
    this.#composer.node.hidden = Boolean(leave && configuration.leadForm.required);
    this.node = element("section", { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: true });
    const disclaimer = element("p", { class: "disclaimer", dir: "auto" }, configuration.texts.disclaimer);
    disclaimer.hidden = !configuration.texts.disclaimer;
    this.node.append(this.#header(), this.#notice, this.#transcript.node, this.#composer.node, disclaimer, this.#live);
    this.#connect();
  }

  get shown() {
    return !this.node.hidden;
  }

  /** Show the panel; the visitor who asked for it goes on in the field. */
  show({ focus }) {
    this.node.hidden = false;
    this.#transcript.scrollToEnd();
    this.#showConnection();
    if (!focus) return;
    const form = this.#composer.node.hidden && this.node.querySelector(".lead input");
    if (form) form.focus({ preventScroll: true });
    else this.#composer.focus();
  }

  hide() {
    this.node.hidden = true;
  }

  /** Bring back the conversation from before. */
  async restore() {
    this.#announceNotice(this.#configuration.texts.restoring);
    await this.#bring(() => this.#conversation.restore());
  }

  /** Show what another tab has done meanwhile, unless the visitor is in the middle of something. */
  async sync() {
    if (!this.#transcript.editing) await this.#bring(() => this.#conversation.sync());
  }

  /** Load messages; say whether that worked, and offer to try again when it did not. */
  async #bring(load) {
    const { texts } = this.#configuration;
    try {
      await load();
      return true;
    } catch {
      const again = element("button", { class: "quiet", type: "button", onclick: () => this.#bring(load) }, texts.retry);
      this.#announceNotice(texts.restore_failed, again);
      return false;
    }
  }

  #connect() {
    const conversation = this.#conversation;
    conversation.addEventListener("busy", () => (this.#composer.busy = conversation.busy));
    conversation.addEventListener("restart", () => this.#showConnection());
    for (const type of ["restart", "message"]) conversation.addEventListener(type, () => this.#goOn());
    this.#composer.addEventListener("send", ({ detail }) => conversation.send(detail));
    this.#composer.addEventListener("stop", () => conversation.stop());
    this.#transcript.addEventListener("ask", ({ detail }) => {
      conversation.send(detail);
      this.#composer.focus();
    });
    this.#transcript.addEventListener("edit", ({ detail }) => {
      conversation.edit(detail.question, detail.text);
      this.#composer.focus();
    });
    for (const change of ["online", "offline"]) window.addEventListener(change, () => this.#showConnection());
    this.node.addEventListener("keydown", (event) => this.#key(event));
    window.visualViewport?.addEventListener("resize", () => this.#fit());
  }

  /** A conversation that has begun goes on, form or no form. */
  #goOn() {
    if (this.#conversation.messages.length) this.#composer.node.hidden = false;
  }

  /** An on-screen keyboard covers a full-screen panel unless the panel gives way. */
  #fit() {
    this.node.style.setProperty("--visible-height", `${window.visualViewport.height}px`);
  }

  #key(event) {
    if (event.key === "Escape" && !event.isComposing) this.#close();
    if (event.key === "Tab" && this.#fillsScreen) this.#keepFocus(event);
  }

  get #fillsScreen() {
    return this.node.clientWidth >= window.innerWidth;
  }

  /** A panel that hides the page must not lose the focus to it. */
  #keepFocus(event) {
    const stops = [...this.node.querySelectorAll("button, textarea, a, summary, input, [tabindex]")];
    const reachable = stops.filter((stop) => !stop.disabled && stop.getClientRects().length > 0);
    const [first, last] = [reachable[0], reachable.at(-1)];
    const leaving = this.node.getRootNode().activeElement === (event.shiftKey ? first : last);
    if (!leaving) return;
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }

  #close() {
    this.dispatchEvent(new Event("close"));
  }

  #showConnection() {
    if (navigator.onLine) this.#notice.hidden = true;
    else this.#announceNotice(this.#configuration.texts.offline);
  }

  #announceNotice(text, ...more) {
    this.#notice.replaceChildren(element("span", {}, text), ...more);
    this.#notice.hidden = false;
  }

  #header() {
    const { texts } = this.#configuration;
    const title = element("h2", { id: "title", dir: "auto" }, texts.title);
    const subtitle = element("p", { dir: "auto" }, texts.subtitle);
    const restart = () => {
      this.#conversation.reset();
      this.#composer.focus();
    };
    return element(
      "header",
      {},
      this.#avatar(),
      element("div", { class: "titles" }, title, texts.subtitle ? subtitle : null),
      headerButton("plus", texts.new_conversation, restart),
      headerButton("close", texts.close, () => this.#close()),
    );
  }

  #avatar() {
    const { avatarUrl } = this.#configuration;
    const avatar = element("div", { class: "avatar" }, icon("spark"));
    if (!avatarUrl) return avatar;
    // Until it has loaded, and wherever the page's policy forbids it, the drawing stays.
    const loaded = () => avatar.replaceChildren(image);
    const image = element("img", { alt: "", referrerpolicy: "no-referrer", onload: loaded });
    image.src = avatarUrl;
    return avatar;
  }
}

function headerButton(name, label, onclick) {
  const attributes = { type: "button", "aria-label": label, title: label, onclick };
  return element("button", { class: `action ${name}`, ...attributes }, icon(name));
}
