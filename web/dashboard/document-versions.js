/** A document's versions: how each ended, which one answers, and their files. */

import { stateOf } from "./document-list.js";
import { button, element } from "./dom.js";
import { showPanel } from "./dialogs.js";
import { bytes, moment } from "./format.js";
import { attempt } from "./notices.js";
import { fill } from "./view.js";

/** @param {import("./api.js").Api} api @param {{id: string, title: string}} document */
export function showVersions(api, document) {
  const place = element("div");
  fill(place, async (signal) => {
    const { versions } = await api.get(`/documents/${document.id}/versions`, {}, signal);
    return [element("ol", { class: "chunks", "aria-label": "Versions" }, ...versions.map((each) => versionItem(api, document, each)))];
  });
  showPanel(`Versions of ${document.title}`, place);
}

/** Have the browser save a file of the document: of one version, or of what answers. */
export function download(api, document, version = null) {
  return attempt(async () => {
    const { url } = await api.get(`/documents/${document.id}/download`, { version });
    element("a", { href: url }).click();
  });
}

function versionItem(api, document, version) {
  const { label, tone } = stateOf({ ...version, updated_at: version.created_at });
  const facts = [version.filename, bytes(version.size), moment(version.created_at)];
  return element("li", { class: "version" },
    element("div", {},
      element("h3", {}, `Version ${version.version}`),
      element("p", { class: "soft facts" }, facts.join(" · ")),
      version.failure ? element("p", { class: "soft" }, version.failure.message) : null),
    element("span", { class: `chip ${tone}` }, label),
    version.answers ? element("span", { class: "chip good" }, "Answers") : null,
    button("quiet", "Download", () => download(api, document, version.version), { "aria-label": `Download version ${version.version}` }));
}
