// The organizations in which the signed-in person works: choose one at sign-in, or switch to another one.
import { html, useState } from "../platform/dom.js";
import { getLabel } from "../platform/labels.js";
import { PageTitle } from "../platform/ui.js";
import { me, memberships, mustChoose } from "./member.js";
import { saveEntries, session, storeSession } from "./session.js";

/**
 * Work in another organization from now on. The page loads again, so that nothing of the earlier one stays in it.
 *
 * @param {string} membership
 * @param {string} [address] where to go, "#/…"; by default the page that is open
 */
async function chooseMembership(membership, address) {
  await saveEntries();
  if (!session.value) return;
  storeSession({ ...session.value, membership });
  if (address) history.replaceState(null, "", address);
  location.reload();
}

export function Organizations() {
  const [busy, setBusy] = useState(false);
  const isFirst = mustChoose();
  const choose = (/** @type {string} */ membership) => {
    if (busy) return;
    setBusy(true);
    // After sign-in, the page that the person opened stays. Its address means nothing in another organization.
    chooseMembership(membership, isFirst ? undefined : "#/");
  };
  return html`<section class="stack">
    <${PageTitle} page="Organizations">${isFirst ? "Choose an organization" : "Your organizations"}<//>
    <p>Each organization sees only its own referrals. You can switch at any time without signing in again.</p>
    ${memberships.value.map(({ member_id: id, name, tenant, roles }) => {
      const isCurrent = !isFirst && id === me.value.member_id;
      return html`<div class="card stack">
        <h2>${tenant.name}</h2>
        <p class="small-text">${name} · ${roles.map(getLabel).join(", ")}</p>
        ${
          isCurrent
            ? html`<p>You are working here now.</p>`
            : html`<p><button type="button" class=${isFirst ? "primary" : ""} aria-disabled=${busy} onClick=${() => choose(id)}>
              Work in ${tenant.name}
            </button></p>`
        }
      </div>`;
    })}
  </section>`;
}
