/** Starts the dashboard: who is logged in decides between the log-in page and the shell with its views. */

import { Api } from "./api.js";
import { tokenOf } from "./routes.js";
import { Session } from "./session.js";
import { Shell } from "./shell.js";
import { signInPage } from "./sign-in.js";
import { welcomePage } from "./welcome.js";

const app = document.querySelector("#app");
const session = new Session(sessionStorage);
const api = new Api(session, () => logIn("Your session has ended. Please log in again."));
// Says to a new tab that it is worth asking whether somebody is logged in.
const KNOWN = "chatconnect.known";
let shell = null;
let page = null;
let lastMember = null;

start();

/** Follow the link of a mail, go on with the session that there is, or ask to log in. */
async function start() {
  const link = tokenOf(location.hash);
  if (link !== null) {
    history.replaceState(null, "", location.pathname); // the token is used once and stays in no history
    logIn("", link);
  } else if (session.token || (localStorage.getItem(KNOWN) && (await api.resume()))) openShell();
  else logIn();
}

/** Show the log-in page. What is being edited stays behind it, for the same member to go on with. */
function logIn(message = "", link = {}) {
  if (page?.dataset.page === "sign-in") return;
  lastMember = session.memberId ?? lastMember;
  session.close();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  if (shell?.dirty) shell.node.hidden = true;
  else leaveShell();
  show(signInPage({ api, message, link, onOpened: opened }));
}

/** The page is left at once; a server that is away ends the session when nobody used it for two weeks. */
function logOut() {
  leaveShell();
  lastMember = null;
  localStorage.removeItem(KNOWN);
  api.post("/auth/logout").catch(() => {});
  logIn("You are logged out.");
}

/** @param {object} answer of log-in or registration; after registration it brings the first keys */
function opened(answer, email) {
  session.open(answer, email);
  localStorage.setItem(KNOWN, "yes");
  if (session.memberId !== lastMember) leaveShell();
  if (answer.secret_key) show(welcomePage(answer, openShell));
  else openShell();
}

function openShell() {
  page?.remove();
  page = null;
  if (shell?.dirty) {
    shell.node.hidden = false;
    return;
  }
  leaveShell();
  shell = new Shell({ api, session, onLogOut: logOut });
  app.append(shell.node);
  shell.open();
}

function leaveShell() {
  shell?.close();
  shell = null;
}

function show(next) {
  page?.remove();
  page = next;
  app.append(page);
  page.querySelector("input, .primary")?.focus(); // none while an invitation is looked up
}
