/** The frame around all views: navigation, who is logged in, and the view that the address names. */

import { accountView } from "./account-view.js";
import { assistantView } from "./assistant-view.js";
import { auditView } from "./audit-view.js";
import { brand } from "./brand.js";
import { conversationsView } from "./conversations-view.js";
import { documentsView } from "./documents-view.js";
import { button, element, icon } from "./dom.js";
import { keysView } from "./keys-view.js";
import { leadsView } from "./leads-view.js";
import { membersView } from "./members-view.js";
import { PLACES, placeOf } from "./routes.js";
import { privacyView } from "./privacy-view.js";
import { searchView } from "./search-view.js";
import { usageView } from "./usage-view.js";
import { widgetView } from "./widget-view.js";

const VIEWS = {
  documents: documentsView,
  search: searchView,
  conversations: conversationsView,
  assistant: assistantView,
  widget: widgetView,
  leads: leadsView,
  usage: usageView,
  keys: keysView,
  members: membersView,
  audit: auditView,
  privacy: privacyView,
  account: accountView,
};

/**
 * A view is made by a function `(api, id)` that returns `{node, close?}`: what to show, and how to end what runs
 * behind it.
 */
export class Shell {
  #api;
  #view = null;
  #links = new Map();
  #outlet = element("main", { class: "outlet", id: "content", tabindex: "-1" });
  #showPlace = () => this.#show(true);

  /** @param {{api: import("./api.js").Api, session: import("./session.js").Session, onLogOut: () => void}} options */
  constructor({ api, session, onLogOut }) {
    this.#api = api;
    for (const place of PLACES) {
      this.#links.set(place.name, element("a", { href: `#${place.name}` }, icon(place.icon), element("span", {}, place.label)));
    }
    const items = [...this.#links.values()].map((link) => element("li", {}, link));
    const who = element("div", { class: "who" },
      element("p", { class: "email", title: session.email }, session.email),
      element("p", { class: "role" }, session.role),
      button("quiet", "Log out", onLogOut));
    this.node = element("div", { class: "shell" },
      element("button", { type: "button", class: "skip", onclick: () => this.#outlet.focus() }, "Skip to the content"),
      element("header", { class: "side" }, brand(), element("nav", { "aria-label": "Dashboard" }, element("ul", {}, ...items)), who),
      this.#outlet);
  }

  /** Whether something is edited and not saved. */
  get dirty() {
    return this.#outlet.querySelector("form[data-changed]") !== null;
  }

  open() {
    addEventListener("hashchange", this.#showPlace);
    this.#show(false);
  }

  close() {
    removeEventListener("hashchange", this.#showPlace);
    this.#view?.close?.();
    this.node.remove();
  }

  /** @param {boolean} moveFocus to the new view, so that screen readers follow */
  #show(moveFocus) {
    const { name, id } = placeOf(location.hash);
    this.#view?.close?.();
    this.#view = VIEWS[name](this.#api, id);
    for (const [each, link] of this.#links) {
      if (each === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.#links.get(name).scrollIntoView({ block: "nearest", inline: "nearest" }); // they may be more than there is room for
    document.title = `${PLACES.find((place) => place.name === name).label} – ChatConnect`;
    this.#outlet.replaceChildren(this.#view.node);
    if (moveFocus) this.#outlet.focus({ preventScroll: true });
  }
}
