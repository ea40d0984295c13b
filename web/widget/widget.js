/** One widget on one page: launcher and panel in a shadow root of their own. */

import { readableOn } from "./configuration.js";
import { element } from "./dom.js";
import { Launcher } from "./launcher.js";
import { Panel } from "./panel.js";
import css from "./styles.css";

/** Draws the widget; emits `open` and `close`. */
export class Widget extends EventTarget {
  #panel;
  #launcher;
  #conversation;
  #memory;
  #restoring = null;

  /**
   * @param {{api: import("./api.js").ChatApi, conversation: import("./conversation.js").Conversation,
   *          configuration: object, memory: import("./storage.js").Memory, visitor: import("./storage.js").Memory}}
   *   options `memory` lasts as long as the tab, `visitor` as long as the device remembers who it is
   */
  constructor({ api, conversation, configuration, memory, visitor }) {
    super();
    this.#conversation = conversation;
    this.#memory = memory;
    const { leadForm, locale, openAfter, widgetId } = configuration;
    const leave = async (lead) => {
      await api.leave({ widget_id: widgetId, locale, ...lead });
      visitor.set("lead", "left");
    };
    this.#panel = new Panel(conversation, configuration, leadForm && !visitor.get("lead") ? leave : null);
    this.#launcher = new Launcher(configuration.texts);
    this.#panel.addEventListener("close", () => this.close());
    this.#launcher.addEventListener("toggle", () => this.toggle());
    for (const ending of ["answer", "failure"]) {
      conversation.addEventListener(ending, () => !this.#panel.shown && this.#launcher.markUnread());
    }
    conversation.addEventListener("busy", () => this.#sync());
    document.addEventListener("visibilitychange", () => this.#sync());
    window.addEventListener("storage", () => this.#sync());
    document.body.append(hostOf(configuration, [this.#panel.node, this.#launcher.node]));
    if (memory.get("open") && innerWidth > 480) this.#show({ focus: false });
    else if (openAfter !== null) setTimeout(() => this.#openItself(), openAfter * 1000);
  }

  open() {
    if (!this.#panel.shown) this.#show({ focus: true });
  }

  close() {
    if (!this.#panel.shown) return;
    this.#panel.hide();
    this.#launcher.show({ open: false });
    this.#launcher.focus();
    this.#memory.set("open", null);
    this.dispatchEvent(new Event("close"));
  }

  toggle() {
    if (this.#panel.shown) this.close();
    else this.open();
  }

  /** Bring back the conversation from before, once. */
  restore() {
    this.#restoring ??= this.#conversation.remembered ? this.#panel.restore() : Promise.resolve();
    return this.#restoring;
  }

  /** Once per tab, and never over the whole screen. */
  #openItself() {
    if (this.#memory.get("opened") || innerWidth <= 480) return;
    if (!this.#panel.shown) this.#show({ focus: false });
  }

  #show({ focus }) {
    this.#panel.show({ focus });
    this.#launcher.show({ open: true });
    this.#memory.set("open", "yes");
    this.#memory.set("opened", "yes");
    this.dispatchEvent(new Event("open"));
    this.#sync();
  }

  /** What other tabs have asked meanwhile is shown as soon as somebody looks. */
  async #sync() {
    if (document.hidden || !this.#panel.shown) return;
    await this.restore();
    await this.#panel.sync();
  }
}

function hostOf(configuration, children) {
  const { accent, direction, locale, mode, onAccent, position } = configuration;
  const host = element("chat-connect", { lang: locale });
  const shadow = host.attachShadow({ mode: "open" });
  const colours = `.root { --accent: ${accent}; --on-accent: ${onAccent ?? readableOn(accent)} }`;
  shadow.adoptedStyleSheets = [css, colours].map(sheetOf);
  shadow.append(element("div", { class: `root ${position} ${mode}`, dir: direction }, ...children));
  // The page's own keyboard shortcuts must not fire while the visitor types here.
  const keepInside = (event) => event.stopPropagation();
  for (const type of ["keydown", "keyup", "keypress"]) shadow.addEventListener(type, keepInside);
  return host;
}

/** A constructed sheet is allowed under any `style-src`, unlike a style element. */
function sheetOf(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
