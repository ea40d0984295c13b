/** After registration: the new keys, which are shown this once, and how to use them. */

import { brand } from "./brand.js";
import { copyable } from "./copyable.js";
import { button, element } from "./dom.js";
import { embedSnippet, servedFrom } from "./embed.js";

/** @param {{widget_key: string, secret_key: string}} keys @param {() => void} onDone */
export function welcomePage(keys, onDone) {
  return element("main", { class: "sign-in", "data-page": "welcome" },
    brand(),
    element("div", { class: "sign-in-card wide" },
      element("h1", {}, "Your assistant is ready"),
      element("p", { class: "soft" }, "Keep these keys now: they are not shown again. New ones can be made at any time."),
      part("Widget key", "Public: it goes into your website.", copyable(keys.widget_key, "widget key")),
      part("Secret key", "For your servers only. Treat it like a password.", copyable(keys.secret_key, "secret key")),
      part("Put the chat on your website", "Paste this before the end of the page's body.",
        copyable(embedSnippet(keys.widget_key, servedFrom()), "embed code")),
      element("div", { class: "actions" }, button("primary", "Go to the dashboard", onDone))));
}

function part(title, hint, content) {
  return element("section", { class: "part" }, element("h2", {}, title), element("p", { class: "hint" }, hint), content);
}
