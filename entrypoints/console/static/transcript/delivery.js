// @ts-check
/** Delivery of a job's event: stored, sent to the bus, accepted. */

import { asProblem, fetchJson } from "../api.js";
import { moment, plural, visible } from "../format.js";
import { session } from "../session.js";
import { announce } from "../status.js";
import { View, html, nothing, problemBox, time } from "../view.js";

const POLL_MILLISECONDS = 5000;

/** @typedef {import("../types.js").Delivery} Delivery */

const SUMMARIES = {
  waiting: "Waiting to be sent",
  rejected: "Refused by the bus, and set aside",
  published: "Accepted by the bus",
  pruned: "Accepted by the bus; its record was removed since",
  disabled: "Events are switched off, none is sent",
};

class DeliveryCard extends View {
  static properties = { job_id: { attribute: false } };
  /** @type {Delivery|null} */
  #delivery = null;
  /** @type {import("../api.js").Problem|null} */
  #problem = null;
  #isSending = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  constructor() {
    super();
    this.job_id = "";
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (changed.has("job_id")) void this.#load();
  }

  /** Read the state, and again while the event waits. */
  async #load() {
    clearTimeout(this.#timer);
    try {
      if (!document.hidden) this.#delivery = await fetchJson(`batch/jobs/${encodeURIComponent(this.job_id)}/delivery`);
      this.#problem = null;
    } catch (error) {
      this.#problem = asProblem(error);
    }
    this.requestUpdate();
    const isMoving = !this.#delivery || this.#delivery.state === "waiting";
    if (isMoving && this.isConnected) this.#timer = setTimeout(() => void this.#load(), POLL_MILLISECONDS);
  }

  render() {
    const delivery = this.#delivery;
    return html`<section class="card delivery" aria-labelledby="delivery-title">
      <h2 id="delivery-title">Delivery of the event</h2>
      ${problemBox(this.#problem)} ${delivery ? this.#content(delivery) : nothing}
    </section>`;
  }

  /** @param {Delivery} delivery */
  #content(delivery) {
    if (!delivery.state) return html`<p>The event is made when the job has ended.</p>`;
    return html`<p class="state ${delivery.state}">${SUMMARIES[delivery.state]}</p>
      ${delivery.state === "disabled" ? nothing : steps(delivery)} ${this.#action(delivery)}`;
  }

  /** @param {Delivery} delivery */
  #action(delivery) {
    const isOpen = delivery.state === "waiting" || delivery.state === "rejected";
    if (!isOpen || !delivery.event_interaction_id) return nothing;
    if (!session.may("operate")) return html`<p class="hint">Sending again needs the scope <code>operate</code>.</p>`;
    return html`<button type="button" ?disabled=${this.#isSending} @click=${this.#sendAgain}>Send again</button>`;
  }

  #sendAgain = async () => {
    this.#isSending = true;
    this.requestUpdate();
    try {
      const query = { interaction_id: this.#delivery?.event_interaction_id };
      await fetchJson("operations/outbox/retry", { method: "POST", query });
      announce("The event is sent again");
      await this.#load();
    } catch (error) {
      this.#problem = asProblem(error);
    }
    this.#isSending = false;
    this.requestUpdate();
  };
}

/** @param {Delivery} delivery */
function steps(delivery) {
  const isAccepted = delivery.state === "published" || delivery.state === "pruned";
  return html`<ol class="steps">
    <li class="done">
      <strong>Stored</strong> ${time(delivery.stored_at, delivery.stored_at ? moment(delivery.stored_at) : "")}
      ${delivery.detail_type ? html`<span class="quiet mono">${delivery.detail_type}</span>` : nothing}
    </li>
    <li class=${isAccepted || delivery.attempts ? "done" : "open"}>
      <strong>Sent</strong>${delivery.transport ? html` to ${delivery.transport}` : nothing} ${attempts(delivery)}
    </li>
    <li class=${isAccepted ? "done" : delivery.state === "rejected" ? "bad" : "open"}>
      <strong>${isAccepted ? "Accepted" : delivery.state === "rejected" ? "Refused" : "Not accepted yet"}</strong>
      ${delivery.published_at ? time(delivery.published_at, moment(delivery.published_at)) : nothing}
      ${delivery.event_id ? html`<span>Event id <span class="mono">${visible(delivery.event_id)}</span></span>` : nothing}
    </li>
  </ol>`;
}

/** @param {Delivery} delivery */
function attempts(delivery) {
  return html`${delivery.attempts ? html`<span>${plural(delivery.attempts, "attempt")} failed</span>` : nothing}
  ${delivery.reason ? html`<span class="reason">${visible(delivery.reason)}</span>` : nothing}
  ${delivery.state === "waiting" && delivery.due_at
    ? html`<span class="quiet">Next attempt ${time(delivery.due_at, moment(delivery.due_at))}</span>`
    : nothing}`;
}

customElements.define("delivery-card", DeliveryCard);
