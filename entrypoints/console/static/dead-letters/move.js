// @ts-check
/** Moves of dead letters, back to the queue or to the archive: plan, typed confirmation, result in words. */

import { fetchJson } from "../api.js";
import { ask } from "../dialogs.js";
import { number, plural, visible } from "../format.js";
import { announce } from "../status.js";
import { html, nothing } from "../view.js";

/** Most messages of one request; see `/operations/dead-letters`. */
export const LIMIT = 500;

/** @typedef {import("../types.js").DeadLetter} DeadLetter */
/** @typedef {"redrive"|"archive"} Move */

/**
 * @typedef {object} Plan
 * @property {Move} move
 * @property {string} kind
 * @property {DeadLetter[]} letters
 * @property {string} tenant Empty for all tenants.
 * @property {boolean} isSingle True for one message, chosen by its id.
 * @property {number} waiting Messages in the dead-letter queue.
 */

/**
 * Show the plan, and carry it out once it is confirmed.
 *
 * @param {Plan} plan
 * @returns {Promise<string|null>} Result in words; null where the answer was no.
 */
export async function carryOut(plan) {
  const count = plan.letters.length;
  const isMeant = await ask({
    title: plan.move === "redrive" ? `Move ${plural(count, "dead letter")} back to the queue?` : `Archive ${plural(count, "dead letter")}?`,
    body: planBody(plan),
    action: plan.move === "redrive" ? "Redrive" : "Archive",
    typed: `${plan.move} ${count}`,
  });
  if (!isMeant) return null;
  const answer = await fetchJson(`operations/dead-letters/${plan.move}`, { method: "POST", query: queryOf(plan) });
  const words = plan.move === "redrive" ? redriven(answer) : archived(answer);
  announce(words);
  return words;
}

/** @param {Plan} plan */
function queryOf({ kind, letters, tenant, isSingle }) {
  if (isSingle) return { kind, id: letters[0].id };
  return { kind, limit: letters.length, ...(tenant ? { tenant_id: tenant } : { all: true }) };
}

/** @param {Plan} plan */
function planBody({ move, kind, letters, tenant, isSingle, waiting }) {
  const unreadable = letters.filter((each) => each.problems.length).length;
  const left = Math.max(0, waiting - letters.length);
  return html`<ul class="plan">
    <li>Events of the kind <strong>${kind}</strong>${tenant ? html`, of tenant <span class="mono">${tenant}</span>` : nothing}</li>
    <li>${move === "redrive" ? "They leave the dead-letter queue, and consumers receive them again." : "They are stored in the archive, and leave the dead-letter queue."}</li>
    ${unreadable && move === "redrive"
      ? html`<li><strong>${plural(unreadable, "message")}</strong> ${unreadable === 1 ? "breaks" : "break"} the contract: consumers are likely to refuse ${unreadable === 1 ? "it" : "them"} again.</li>`
      : nothing}
    ${isSingle ? nothing : html`<li>At most ${LIMIT} are moved at once.${left ? html` About ${number(left)} stay; repeat the action for them.` : nothing}</li>`}
  </ul>`;
}

/** @param {import("../types.js").Redriven} report */
function redriven({ moved, undeleted, failed, skipped, erased, problem }) {
  return sentences([
    `${plural(moved, "message")} moved back to the queue.`,
    undeleted ? `${plural(undeleted, "message")} may be in both queues, because deleting failed.` : "",
    failed ? `${plural(failed, "message")} could not be copied, and stayed.` : "",
    skipped ? `${plural(skipped, "message")} arrived meanwhile, and stayed.` : "",
    erased ? `${plural(erased, "message")} stayed because the transcripts were erased.` : "",
    problem,
  ]);
}

/** @param {import("../types.js").Archived} report */
function archived({ archived: count, failed, problem, place }) {
  return sentences([
    `${plural(count, "message")} archived in ${place}.`,
    failed ? `${plural(failed, "message")} could not be archived, and stayed.` : "",
    problem,
  ]);
}

/** @param {(string|null)[]} parts */
function sentences(parts) {
  return visible(parts.filter(Boolean).join(" "));
}
