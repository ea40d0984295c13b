/** How the company's documents are cut into the passages that answers are based on. */

import { showForm } from "./dialogs.js";
import { element } from "./dom.js";
import { field, form, input, typed } from "./form.js";
import { numberOr } from "./format.js";
import { attempt, notice } from "./notices.js";

/** @param {import("./api.js").Api} api */
export function showChunkSettings(api) {
  return attempt(async () => {
    const path = `/tenants/${(await api.get("/auth/me")).tenant_id}/chunking`;
    const stored = await api.get(path);
    const tokens = input(stored.tokens, { type: "number", min: 100, max: 2000, step: 1 });
    const overlap = input(stored.overlap, { type: "number", min: 0, step: 1 });
    const send = async () => {
      await api.put(path, { tokens: numberOr(typed(tokens)), overlap: numberOr(typed(overlap)) });
      close();
      notice("Saved. Documents are cut in this way when they are processed next.");
    };
    const fields = [
      element("p", { class: "soft" }, "Documents that are ready stay as they are until they are processed again."),
      field("tokens", "Longest passage, in tokens", tokens, "100 to 2,000. Short ones are found more exactly, long ones say more."),
      field("overlap", "Tokens that the next passage repeats", overlap, "Less than half of a passage."),
    ];
    const close = showForm("How documents are cut", form("Save", fields, send));
  });
}
