/** The script tag that puts the widget on a website. */

/** @param {string} key a publishable key @param {string} root the address that everything is served from */
export function embedSnippet(key, root) {
  return `<script src="${new URL("widget.js", root).href}" data-key="${key}" async></script>`;
}

/** The address above this page, where the widget is served. */
export function servedFrom() {
  return new URL("../", document.baseURI).href;
}
