// The members of an organization, for its administrators: invite, help someone who cannot sign in, and disable.
import { html, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { announce, Dialog, Field, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { inviteMember, listMembers, resetSignIn, sendInvitationAgain, setActive } from "./identity_api.js";
import { isPractice, me } from "./member.js";
import { SignInForm } from "./sign_in.js";

const ROLE_LABELS = {
  provider: "Provider",
  coordinator: "Coordinator",
  clinician: "Clinician",
  admin: "Administrator",
};
const listRoles = () => (isPractice() ? ["coordinator", "provider", "admin"] : ["coordinator", "clinician", "admin"]);

/** What an administrator can do about one member: the title of the dialog, its explanation, and its button. */
const ACTIONS = {
  invite: {
    title: "Send invitation again",
    text: "If this person has never signed in, they get an email with a new temporary password, valid for 7 days. Otherwise they can choose “Forgot your password?” on the sign-in page.",
    done: "Invitation sent",
    run: (member, key) => sendInvitationAgain(member.member_id, key),
  },
  reset: {
    title: "Reset sign-in",
    text: "For someone who lost their authenticator app. Call them first, to make sure that they ask for this. Their password, authenticator app, and sessions end now. They get an email with a temporary password and set up everything again. Their work stays.",
    done: "Sign-in reset",
    run: (member, key) => resetSignIn(member.member_id, key),
  },
  disable: {
    title: "Disable member",
    text: "Access ends at once. You can enable this person again.",
    done: "Member disabled",
    run: (member) => setActive(member, false),
  },
  enable: {
    title: "Enable member",
    text: "This person can sign in again, with the same roles.",
    done: "Member enabled",
    run: (member) => setActive(member, true),
  },
};

function ActionDialog({ name, member, onClose, onDone }) {
  const { title, text, done, run } = ACTIONS[name];
  const request = useIdempotentRequest((target, key) => run(target, key));
  const send = async () => {
    await request.run(member);
    announce(done);
    onDone();
  };
  return html`<${Dialog} title="${title}: ${member.name}" onClose=${onClose}>
    <p>${text}</p>
    <${SignInForm} send=${send} button=${title} busyText="Saving…" />
    <button type="button" onClick=${onClose}>Cancel</button>
  <//>`;
}

function MemberRow({ member, choose }) {
  const actions = member.active ? ["invite", "reset", "disable"] : ["enable"];
  const isOwn = member.member_id === me.value.member_id;
  return html`<tr role="row">
    <th scope="row" role="rowheader">${member.name}<span class="subtext">${member.email}</span></th>
    <td role="cell">${member.roles.map((role) => ROLE_LABELS[role]).join(", ")}${!member.active && html` <span class="chip is-warning">Disabled</span>`}</td>
    <td role="cell" class="actions-cell"><div class="actions">${
      isOwn
        ? html`<a href="#/account">Your account</a>`
        : actions.map(
            (name) =>
              html`<button type="button" aria-label="${ACTIONS[name].title}: ${member.name}" onClick=${() => choose({ name, member })}>${ACTIONS[name].title}</button>`,
          )
    }</div></td>
  </tr>`;
}

function Invite({ onDone }) {
  const [tries, setTries] = useState(0);
  const request = useIdempotentRequest(inviteMember);
  const send = async (form) => {
    await request.run({ name: form.get("name").trim(), email: form.get("email").trim(), roles: form.getAll("role") });
    announce("Invitation sent");
    setTries(tries + 1);
    onDone();
  };
  return html`<section class="card stack">
    <h2>Invite a member</h2>
    <${SignInForm} key=${tries} send=${send} button="Send invitation" busyText="Sending…">
      <${Field} pointer="name" label="Name" required />
      <${Field} pointer="email" label="Work email" type="email" required />
      <fieldset><legend>Roles</legend>
        <div class="actions">${listRoles().map((role) => html`<label class="check"><input type="checkbox" name="role" value=${role} />${ROLE_LABELS[role]}</label>`)}</div>
      </fieldset>
    <//>
  </section>`;
}

export function Members() {
  const { data, problem, reload } = useLoad(listMembers, []);
  const [chosen, setChosen] = useState(/** @type {any} */ (null));
  const finish = () => {
    setChosen(null);
    reload();
  };
  return html`<div class="stack">
    <${PageTitle} page="Members">Members<//>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="the members" />`}
    ${
      data &&
      html`<div class="card no-padding"><table role="table" class="data-table">
          <caption class="visually-hidden">Members of ${me.value.tenant.name}</caption>
          <thead role="rowgroup"><tr role="row">
            <th scope="col" role="columnheader">Name</th><th scope="col" role="columnheader">Roles</th>
            <th scope="col" role="columnheader"><span class="visually-hidden">Actions</span></th>
          </tr></thead>
          <tbody role="rowgroup">${data.map((member) => html`<${MemberRow} key=${member.member_id} member=${member} choose=${setChosen} />`)}</tbody>
        </table></div>
        <${Invite} onDone=${reload} />`
    }
    ${chosen && html`<${ActionDialog} ...${chosen} onClose=${() => setChosen(null)} onDone=${finish} />`}
  </div>`;
}
