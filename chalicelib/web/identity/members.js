// The people of an organization, for its administrators: whether each can sign in safely and gets email, and what to do.
import { html, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatDay } from "../platform/time.js";
import { announce, Dialog, Field, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import {
  inviteMember,
  listMembers,
  listSecondSteps,
  resetSignIn,
  sendInvitationAgain,
  setActive,
} from "./identity_api.js";
import { getTimeZone, isPractice, me } from "./member.js";
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

/** What can be done for a person, by status. Only someone who has not come yet needs the invitation again. */
const ACTIONS_BY_STATUS = {
  active: ["reset", "disable"],
  invited: ["invite", "disable"],
  invitation_ended: ["invite", "disable"],
  disabled: ["enable"],
};

/** The tone and the words of each status. */
const STATUS_LABELS = {
  active: ["is-success", "Active"],
  invited: ["is-accent", "Invited"],
  invitation_ended: ["is-warning", "Invitation ended"],
  disabled: ["", "Disabled"],
  not_known: ["", "Status not known"],
};

const EMAIL_PROBLEMS = { bounced: "Email bounced", complained: "Marked as spam" };

const showDay = (at) => html`<time datetime=${at}>${formatDay(at, getTimeZone())}</time>`;

function Status({ member: { status, invitation_ends_at: end } }) {
  const [tone, label] = STATUS_LABELS[status];
  return html`<span class="chip ${tone}">${label}</span>
    ${status === "invited" && html`<span class="subtext">The password works until ${showDay(end)}</span>`}
    ${status === "invitation_ended" && html`<span class="subtext">The password ended on ${showDay(end)}</span>`}
    ${status === "not_known" && html`<span class="subtext">Shown after the next sign-in</span>`}`;
}

/** Whether sign-in asks for more than the password. Nothing is claimed that the sign-in service did not say. */
function SecondStep({ member, steps }) {
  if (member.status === "disabled") return "No sign-in";
  if (member.status.startsWith("invit")) return "Not signed in yet";
  const step = steps.found[member.member_id];
  if (step === "on") return "Second step on";
  if (step === "not_set_up") return html`<span class="chip is-warning">No second step</span>`;
  return steps.busy ? "Checking…" : "Second step not known";
}

function EmailState({ member: { active, mail_problem: problem } }) {
  if (!active) return "No email";
  if (!problem) return "No email problem";
  return html`<span class="chip is-warning">${EMAIL_PROBLEMS[problem.reason]}</span><span class="subtext">No email since ${showDay(problem.since)}</span>`;
}

function MemberRow({ member, steps, isOnlyAdmin, choose }) {
  const actions = ACTIONS_BY_STATUS[member.status] ?? ["invite", "reset", "disable"];
  const isOwn = member.member_id === me.value.member_id;
  return html`<tr role="row">
    <th scope="row" role="rowheader">${member.name}${isOwn && html` <span class="chip is-accent">You</span>`}<span class="subtext">${member.email}</span></th>
    <td role="cell">${member.roles.map((role) => ROLE_LABELS[role]).join(", ")}${isOnlyAdmin && html`<span class="subtext">The only administrator. Invite a second one.</span>`}</td>
    <td role="cell"><${Status} member=${member} /></td>
    ${steps.available && html`<td role="cell"><${SecondStep} member=${member} steps=${steps} /></td>`}
    <td role="cell"><${EmailState} member=${member} /></td>
    <td role="cell" class="actions-cell"><div class="actions"><a href=${`#/audit/${member.member_id}`} aria-label="Activity of ${member.name}">Activity</a>${
      isOwn
        ? html`<a href="#/account">Your account</a>`
        : actions.map(
            (name) =>
              html`<button type="button" aria-label="${ACTIONS[name].title}: ${member.name}" onClick=${() => choose({ name, member })}>${ACTIONS[name].title}</button>`,
          )
    }</div></td>
  </tr>`;
}

const NAMES_LISTED = 5;

/** "Ana Ruiz, Petra Lund, and 3 more". */
function listNames(people) {
  const names = people.slice(0, NAMES_LISTED).map((person) => person.name);
  const rest = people.length - names.length;
  return new Intl.ListFormat("en-US").format(rest ? [...names, `${rest} more`] : names);
}

/** A warning about the people whose password alone signs them in. */
function SecondStepWarning({ members, steps }) {
  const without = members.filter((member) => steps.found[member.member_id] === "not_set_up");
  if (!without.length) return null;
  return html`<p class="banner is-warning"><${Icon} name="circle-alert" /><span>
    <strong>${without.length === 1 ? "1 person has" : `${without.length} people have`} no second step at sign-in: ${listNames(without)}.</strong>
    ${
      steps.required
        ? " This site requires an authenticator app. They set it up at their next sign-in."
        : " A stolen password is enough to get into their accounts. Ask them to set up an authenticator app on the page “Account.”"
    }</span></p>`;
}

/** "5 active, 1 invited, 1 disabled". */
function summarize(members) {
  const counts = Object.entries(STATUS_LABELS).map(([status, [, label]]) => [
    members.filter((member) => member.status === status).length,
    label.toLowerCase(),
  ]);
  return counts
    .filter(([count]) => count)
    .map((count) => count.join(" "))
    .join(", ");
}

/** Read page by page which people have a second step. What is known stays if a later page does not come. */
async function loadSecondSteps() {
  const steps = { available: true, required: false, problem: null, found: {} };
  let cursor = /** @type {string | null} */ (null);
  do {
    try {
      const page = await listSecondSteps(cursor);
      for (const item of page.items) steps.found[item.member_id] = item.second_step;
      Object.assign(steps, { available: page.available, required: page.required });
      cursor = page.next_cursor;
    } catch (problem) {
      return { ...steps, problem };
    }
  } while (cursor);
  return steps;
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
    <h2>Invite a person</h2>
    <${SignInForm} key=${tries} send=${send} button="Send invitation" busyText="Sending…">
      <${Field} pointer="name" label="Name" required />
      <${Field} pointer="email" label="Work email" type="email" required />
      <fieldset><legend>Roles</legend>
        <div class="actions">${listRoles().map((role) => html`<label class="check"><input type="checkbox" name="role" value=${role} />${ROLE_LABELS[role]}</label>`)}</div>
      </fieldset>
    <//>
  </section>`;
}

/** What can be wrong with an account, whatever its status. */
const PROBLEM_FILTERS = {
  no_second_step: ["No second step", (member, steps) => steps.found[member.member_id] === "not_set_up"],
  mail_problem: ["Email problem", (member) => member.active && member.mail_problem],
};

const NO_FILTER = { role: "", state: "" };

function isShown(member, { role, state }, steps) {
  if (role && !member.roles.includes(role)) return false;
  return !state || (PROBLEM_FILTERS[state] ? PROBLEM_FILTERS[state][1](member, steps) : member.status === state);
}

/** Limits the table to a role and a state. Nothing is asked from the server again. */
function PeopleFilter({ filter, setFilter, shown, total }) {
  const states = [
    ["", "All states"],
    ...Object.entries(STATUS_LABELS).map(([name, [, label]]) => [name, label]),
    ...Object.entries(PROBLEM_FILTERS).map(([name, [label]]) => [name, label]),
  ];
  const change = (name) => (event) => setFilter({ ...filter, [name]: event.currentTarget.value });
  return html`<div class="actions" role="group" aria-label="Filter the people">
    <${Field} pointer="role-filter" label="Role" value=${filter.role} onChange=${change("role")}
      options=${[["", "All roles"], ...listRoles().map((role) => [role, ROLE_LABELS[role]])]} />
    <${Field} pointer="state-filter" label="State" value=${filter.state} onChange=${change("state")}
      options=${states} />
    <p role="status">${shown === total ? `${total} people` : `${shown} of ${total} people`}</p>
  </div>`;
}

function People({ members, admins, steps, choose }) {
  const columns = ["Name", "Roles", "Status", ...(steps.available ? ["Second step"] : []), "Email"];
  return html`<div class="card no-padding"><table role="table" class="data-table one-column">
    <caption class="visually-hidden">People of ${me.value.tenant.name}</caption>
    <thead role="rowgroup"><tr role="row">
      ${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      <th scope="col" role="columnheader"><span class="visually-hidden">Actions</span></th>
    </tr></thead>
    <tbody role="rowgroup">${members.map(
      (member) =>
        html`<${MemberRow} key=${member.member_id} member=${member} steps=${steps} choose=${choose}
          isOnlyAdmin=${admins.length === 1 && admins[0] === member} />`,
    )}</tbody>
  </table></div>`;
}

export function Members() {
  const { data, problem, reload } = useLoad(listMembers, []);
  const secondSteps = useLoad(loadSecondSteps, []);
  const steps = { available: true, found: {}, ...secondSteps.data, busy: secondSteps.busy };
  const [chosen, setChosen] = useState(/** @type {any} */ (null));
  const [filter, setFilter] = useState(NO_FILTER);
  const shown = data?.filter((member) => isShown(member, filter, steps)) ?? [];
  const admins = data?.filter((member) => member.active && member.roles.includes("admin")) ?? [];
  const reloadAll = () => {
    reload();
    secondSteps.reload();
  };
  const finish = () => {
    setChosen(null);
    reloadAll();
  };
  return html`<div class="stack large-targets">
    <${PageTitle} page="People">People<//>
    <p class="lead">${data ? `${summarize(data)} at ${me.value.tenant.name}.` : `Who has access at ${me.value.tenant.name}.`}</p>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="the people" />`}
    ${steps.problem && html`<${Problem} problem=${steps.problem} retry=${secondSteps.reload}>The sign-in service did not respond, so it is not known who has a second step.<//>`}
    ${
      data &&
      html`<${SecondStepWarning} members=${data} steps=${steps} />
        <${PeopleFilter} filter=${filter} setFilter=${setFilter} shown=${shown.length} total=${data.length} />
        <${People} members=${shown} admins=${admins} steps=${steps} choose=${setChosen} />
        <${Invite} onDone=${reloadAll} />`
    }
    ${chosen && html`<${ActionDialog} ...${chosen} onClose=${() => setChosen(null)} onDone=${finish} />`}
  </div>`;
}
