/** What all views share: a heading, and the states of waiting, failing and having nothing. */

import { button, element, icon } from "./dom.js";

/** @param {string} title @param {string} lead one sentence under it @param {...Node} content */
export function page(title, lead, ...content) {
  return element("div", { class: "page" },
    element("header", { class: "page-head" }, element("h1", {}, title), element("p", { class: "soft" }, lead)),
    ...content);
}

export function waiting(text = "Loading…") {
  return element("p", { class: "waiting", role: "status" }, text);
}

export function empty(drawing, title, text) {
  return element("div", { class: "empty" }, icon(drawing), element("h2", {}, title), element("p", {}, text));
}

/**
 * Fill a place with what `load` brings; while it waits and when it fails the place says so.
 * @param {HTMLElement} place
 * @param {(signal: AbortSignal) => Promise<Node[]>} load
 * @returns {() => void} ends it
 */
export function fill(place, load) {
  const ending = new AbortController();
  const attempt = async () => {
    place.replaceChildren(waiting());
    try {
      const content = await load(ending.signal);
      if (!ending.signal.aborted) place.replaceChildren(...content);
    } catch (error) {
      if (!ending.signal.aborted) place.replaceChildren(failed(error, attempt));
    }
  };
  attempt();
  return () => ending.abort();
}

/**
 * A place that `load` fills, anew at each `refresh`.
 * @param {(signal: AbortSignal, chosen: unknown) => Promise<Node[]>} load `chosen` is what `refresh` was called with
 * @returns {{node: HTMLElement, refresh: (chosen?: unknown) => void, close: () => void}}
 */
export function refillable(load) {
  const node = element("div");
  let close = () => {};
  const refresh = (chosen) => {
    close();
    close = fill(node, (signal) => load(signal, chosen));
  };
  return { node, refresh, close: () => close() };
}

/** What failed, and a button to try again. */
export function failed(error, again) {
  return element("div", { class: "empty", role: "alert" },
    icon("alert"), element("p", {}, error.message), button("quiet", "Try again", again));
}
