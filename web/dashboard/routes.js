/** The page's places, as they stand behind the # of its address. */

export const PLACES = [
  { name: "documents", label: "Documents", icon: "document" },
  { name: "search", label: "Try a search", icon: "search" },
  { name: "conversations", label: "Conversations", icon: "chat" },
  { name: "assistant", label: "Assistant", icon: "spark" },
  { name: "widget", label: "Widget", icon: "widget" },
  { name: "leads", label: "Contacts", icon: "person" },
  { name: "usage", label: "Plan and usage", icon: "gauge" },
  { name: "keys", label: "Keys", icon: "key" },
  { name: "members", label: "Members", icon: "people" },
  { name: "audit", label: "Audit log", icon: "versions" },
  { name: "privacy", label: "Privacy", icon: "shield" },
  { name: "account", label: "Your account", icon: "person" },
];

/** Read "#invitation=TOKEN" and "#reset=TOKEN", the links in mails. @returns {object | null} null for anything else */
export function tokenOf(hash) {
  const [, name, token] = /^#(invitation|reset)=(.+)$/.exec(hash) ?? [];
  return name ? { [name]: token } : null;
}

/** Read "#conversations/ID". @returns {{name: string, id: string | null}} an unknown place is the first one */
export function placeOf(hash) {
  const [name, id = ""] = hash.replace(/^#\/?/, "").split("/");
  return PLACES.some((place) => place.name === name) ? { name, id: encodeURIComponent(id) || null } : { name: PLACES[0].name, id: null };
}
