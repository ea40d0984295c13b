/** Logging in, and registering a company. */

import { brand } from "./brand.js";
import { element } from "./dom.js";
import { area, field, form, input } from "./form.js";
import { lines } from "./format.js";

/**
 * @param {{api: import("./api.js").Api, message: string, onOpened: (answer: object, email: string) => void}} options
 * `message` says why the user has to log in
 */
export function signInPage({ api, message, onOpened }) {
  const card = element("div", { class: "sign-in-card" });
  const reason = message ? element("p", { class: "reason", role: "status" }, message) : null;
  const show = (...content) => {
    card.replaceChildren(...content);
    card.querySelector("input").focus();
  };
  const showLogIn = () => show(...logIn(api, onOpened, showRegister));
  const showRegister = () => show(...register(api, onOpened, showLogIn));
  showLogIn();
  return element("main", { class: "sign-in", "data-page": "sign-in" }, brand(), ...[reason].filter(Boolean), card);
}

function logIn(api, onOpened, onSwitch) {
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
    field("password", "Password", password),
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
  return element("p", { class: "switch" }, `${question} `, go);
}
