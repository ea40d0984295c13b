/** The people of the company: who they are, what they may, and inviting others. */

import { confirmed } from "./dialogs.js";
import { button, element } from "./dom.js";
import { field, form, input, select } from "./form.js";
import { moment } from "./format.js";
import { attempt, notice } from "./notices.js";
import { namedTable } from "./tables.js";
import { page, refillable } from "./view.js";

export const ROLES = [
  ["viewer", "Viewer, reads"],
  ["agent", "Agent, answers visitors"],
  ["admin", "Admin, configures"],
  ["owner", "Owner, everything"],
];

/** The roles that somebody may give: up to their own. @param {string} own @returns {Array<[string, string]>} */
export function rolesUpTo(own) {
  if (!["owner", "admin"].includes(own)) return [];
  return ROLES.filter(([role]) => role !== "owner" || own === "owner");
}

/** @param {import("./api.js").Api} api */
export function membersView(api) {
  const lists = refillable(async (signal) => {
    const [me, { members }] = await Promise.all([api.get("/auth/me", {}, signal), api.get("/members", {}, signal)]);
    const may = rolesUpTo(me.role);
    const { invitations } = may.length > 0 ? await api.get("/invitations", {}, signal) : { invitations: [] };
    const doing = acting(api, lists.refresh);
    return [
      may.length > 0 ? invitationForm(api, may, lists.refresh) : null,
      namedTable("Members", ["E-mail address", "Role", "Since", ""], members.map((each) => memberRow(each, me, may, doing))),
      invitations.length > 0
        ? namedTable("Open invitations", ["E-mail address", "Role", "Ends", ""], invitations.map((each) => invitationRow(each, may, doing)))
        : null,
    ].filter(Boolean);
  });
  lists.refresh();
  return { node: page("Members", "Whoever works with your assistant, and what they may do.", lists.node), close: lists.close };
}

function invitationForm(api, may, onDone) {
  const email = input("", { type: "email", autocomplete: "off", placeholder: "somebody@example.com" });
  const role = select(may[0][0], may);
  const send = async () => {
    const invitation = await api.post("/invitations", { email: email.value, role: role.value });
    notice(`A mail to ${invitation.email} is on its way.`);
    onDone();
  };
  const made = form("Invite", [field("email", "E-mail address", email), field("role", "Role", role)], send);
  made.classList.add("card", "key-form");
  return made;
}

function memberRow(member, me, may, doing) {
  const own = member.id === me.member_id;
  const changeable = may.some(([role]) => role === member.role);
  const name = element("th", { scope: "row" }, member.email, own ? element("span", { class: "soft" }, " (you)") : null);
  const role = changeable && !own ? roleChoice(member, may, doing) : member.role;
  const buttons = [
    me.role === "owner" && member.role !== "owner" ? button("quiet small", "Make owner", () => doing.handOver(member), named("Make owner", member)) : null,
    own ? button("quiet small", "Leave", () => doing.remove(member, true)) : null,
    changeable && !own ? button("quiet small", "Remove", () => doing.remove(member, false), named("Remove", member)) : null,
  ];
  return element("tr", {}, name, element("td", {}, role), element("td", {}, moment(member.joined_at)),
    element("td", {}, ...buttons.filter(Boolean)));
}

function roleChoice(member, may, doing) {
  const choice = select(member.role, may, { "aria-label": `Role of ${member.email}` });
  choice.addEventListener("change", () => doing.changeRole(member, choice.value));
  return choice;
}

function invitationRow(invitation, may, doing) {
  const over = Date.parse(invitation.expires_at) <= Date.now();
  const buttons = may.some(([role]) => role === invitation.role)
    ? [
        button("quiet small", "Send again", () => doing.sendAgain(invitation), named("Send again to", invitation)),
        button("quiet small", "Revoke", () => doing.revoke(invitation), named("Revoke", invitation)),
      ]
    : [];
  return element("tr", {},
    element("th", { scope: "row" }, invitation.email),
    element("td", {}, invitation.role),
    element("td", {}, over ? element("span", { class: "chip idle" }, "Expired") : moment(invitation.expires_at)),
    element("td", {}, ...buttons));
}

function named(action, { email }) {
  return { "aria-label": `${action} ${email}` };
}

/** What the buttons do; afterwards the lists are asked for again. */
function acting(api, onDone) {
  const act = async (said, send) => {
    await attempt(send, said);
    onDone();
  };
  const asked = async (question, said, send) => {
    if (await confirmed(question)) await act(said, send);
  };
  return {
    changeRole: (member, role) => act(`${member.email} is ${role} now.`, () => api.put(`/members/${member.id}`, { role })),
    sendAgain: (invitation) => act(`Another mail to ${invitation.email} is on its way.`, () => api.post(`/invitations/${invitation.id}/resend`)),
    revoke: (invitation) => act(`The invitation of ${invitation.email} is revoked.`, () => api.delete(`/invitations/${invitation.id}`)),
    remove: (member, own) => asked(
      own
        ? { title: "Leave this company?", text: "You lose access at once, and need an invitation to come back.", action: "Leave" }
        : { title: "Remove this member?", text: `${member.email} loses access at once.`, action: "Remove" },
      own ? "You have left." : `${member.email} is removed.`,
      () => api.delete(`/members/${member.id}`)),
    handOver: (member) => asked(
      { title: "Hand the company over?", text: `${member.email} becomes an owner, and you an admin. You cannot undo this yourself.`, action: "Hand over" },
      `${member.email} is an owner now.`,
      () => api.post(`/members/${member.id}/transfer-ownership`)),
  };
}
