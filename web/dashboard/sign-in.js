/** Logging in, registering a company, and what the links in mails lead to. */

import { brand } from "./brand.js";
import { button, element } from "./dom.js";
import { area, field, form, input } from "./form.js";
import { lines } from "./format.js";
import { waiting } from "./view.js";

const LENGTH = "At least 10 characters; a few words are easier to remember than signs.";

/**
 * @param {{api: import("./api.js").Api, message: string, onOpened: (answer: object, email: string) => void}} options
 * `message` says why the user has to log in; `link` is what a mail led to: `{invitation}` or `{reset}` with its token
 */
export function signInPage({ api, message, link = {}, onOpened }) {
  const card = element("div", { class: "sign-in-card" });
  const reason = message ? element("p", { class: "reason", role: "status" }, message) : null;
  const show = (...content) => {
    card.replaceChildren(...content);
    card.querySelector("input, button")?.focus();
  };
  const showLogIn = () => show(...logIn(api, onOpened, showRegister, showForgot));
  const showRegister = () => show(...register(api, onOpened, showLogIn));
  const showForgot = () => show(...forgot(api, showLogIn));
  if (link.invitation) showInvitation(api, link.invitation, { show, onOpened, showLogIn });
  else if (link.reset) show(...reset(api, link.reset, { show, showLogIn }));
  else showLogIn();
  return element("main", { class: "sign-in", "data-page": "sign-in" }, brand(), ...[reason].filter(Boolean), card);
}

function logIn(api, onOpened, onSwitch, onForgot) {
  const email = input("", { type: "email", autocomplete: "username" });
  const password = input("", { type: "password", autocomplete: "current-password" });
  const send = async () => {
    const body = { email: email.value, password: password.value };
    onOpened(await api.post("/auth/login", body), email.value.trim());
  };
  return [
    element("h1", {}, "Log in"),
    form("Log in", [field("email", "E-mail address", email), field("password", "Password", password)], send),
    switchTo("No account yet?", "Register your company", onSwitch),
    switchTo("", "I forgot it", onForgot),
  ];
}

function forgot(api, onSwitch) {
  const email = input("", { type: "email", autocomplete: "username" });
  const sent = element("p", { class: "soft", role: "status" });
  const send = async () => {
    await api.post("/auth/password/forgot", { email: email.value });
    sent.textContent = "If this address has an account, a mail with a link is on its way. The link works for an hour.";
  };
  return [
    element("h1", {}, "Set a new password"),
    form("Send me a link", [field("email", "E-mail address", email)], send),
    sent,
    switchTo("", "Back to the log-in", onSwitch),
  ];
}

function reset(api, token, { show, showLogIn }) {
  const password = input("", { type: "password", autocomplete: "new-password" });
  const send = async () => {
    await api.post("/auth/password/reset", { token, password: password.value });
    show(
      element("h1", {}, "Your password is set"),
      element("p", { class: "soft" }, "You are logged out everywhere. Log in with the new password."),
      element("div", { class: "actions" }, button("primary", "Go to the log-in", showLogIn)),
    );
  };
  return [
    element("h1", {}, "Set a new password"),
    form("Set the password", [field("password", "New password", password, LENGTH)], send),
    switchTo("", "Back to the log-in", showLogIn),
  ];
}

/** What an invitation is to, and joining: with the password of one's account, or with a new one. */
async function showInvitation(api, token, { show, onOpened, showLogIn }) {
  show(waiting());
  try {
    const offer = await api.post("/auth/invitations/look", { token });
    show(...join(api, token, offer, onOpened));
  } catch (error) {
    show(element("h1", {}, "This invitation cannot be used"), element("p", { role: "alert" }, error.message),
      element("div", { class: "actions" }, button("primary", "Go to the log-in", showLogIn)));
  }
}

function join(api, token, offer, onOpened) {
  const known = offer.has_account;
  const password = input("", { type: "password", autocomplete: known ? "current-password" : "new-password" });
  const send = async () => {
    onOpened(await api.post("/auth/invitations/accept", { token, password: password.value }), offer.email);
  };
  const label = known ? "Your password" : "Choose a password";
  return [
    element("h1", {}, `Join ${offer.company}`),
    element("p", { class: "soft" }, `${offer.email} is invited as ${offer.role}.`),
    form("Join", [field("password", label, password, known ? "" : LENGTH)], send),
  ];
}

function register(api, onOpened, onSwitch) {
  const company = input("", { autocomplete: "organization" });
  const email = input("", { type: "email", autocomplete: "username" });
  const password = input("", { type: "password", autocomplete: "new-password" });
  const domains = area("", 2, { placeholder: "www.example.com", spellcheck: "false" });
  const send = async () => {
    const body = { company: company.value, email: email.value, password: password.value };
    const answer = await api.post("/auth/register", { ...body, allowed_domains: lines(domains.value) });
    onOpened(answer, email.value.trim());
  };
  const fields = [
    field("company", "Company", company),
    field("email", "E-mail address", email),
    field("password", "Password", password, LENGTH),
    field("allowed_domains", "Your websites", domains, "Where the chat may appear, one domain per line. You can change this later."),
  ];
  return [
    element("h1", {}, "Register your company"),
    form("Register", fields, send),
    switchTo("Registered already?", "Log in", onSwitch),
  ];
}

function switchTo(question, action, onSwitch) {
  const go = element("button", { type: "button", class: "link", onclick: () => onSwitch() }, action);
  return element("p", { class: "switch" }, question ? `${question} ` : "", go);
}
