/** Trying the search: what the assistant would find for a question. */

import { element } from "./dom.js";
import { field, form, input, typed } from "./form.js";
import { counted, numberOr } from "./format.js";
import { empty, page } from "./view.js";

/** @param {import("./api.js").Api} api */
export function searchView(api) {
  const query = input("", { type: "search", placeholder: "What would a visitor ask?", autocomplete: "off" });
  const limit = input("5", { type: "number", min: 1, max: 20 });
  const said = element("p", { class: "soft", role: "status" });
  const results = element("ol", { class: "results", "aria-label": "Results" });
  const search = async () => {
    const found = await api.post("/knowledge/search", { query: query.value, limit: numberOr(typed(limit)) });
    said.textContent = found.results.length > 0 ? `${counted(found.results.length, "passage")}, best first` : "";
    results.replaceChildren(...(found.results.length > 0 ? found.results.map(resultItem) : [nothing()]));
  };
  const asked = form("Search", [field("query", "Question or words", query), field("retrieval.limit", "Passages", limit)], search);
  asked.classList.add("search-form", "card");
  asked.addEventListener("input", () => delete asked.dataset.changed); // a question is nothing to lose
  return { node: page("Try a search", "See which passages your assistant would base its answer on.", asked, said, results) };
}

function nothing() {
  const text = "No passage is close enough. Try other words, or add a document that holds the answer.";
  return element("li", {}, empty("search", "Nothing found", text));
}

function resultItem({ title, page: pageNumber, score, text, headings, start, end }) {
  const facts = [pageNumber === null ? null : `page ${pageNumber}`, `characters ${start}–${end}`, headings.join(" › ")];
  return element("li", { class: "card result" },
    element("div", { class: "result-head" },
      element("h2", {}, title),
      element("span", { class: "chip idle", title: "Compares within this search only" }, `score ${score.toFixed(3)}`)),
    element("p", { class: "soft facts" }, facts.filter(Boolean).join(" · ")),
    element("p", { class: "passage" }, text));
}
