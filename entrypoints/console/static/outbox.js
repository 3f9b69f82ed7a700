// @ts-check
/** Outbox: how many events wait, which of them the bus refused, and another try. */

import { asProblem, fetchJson } from "./api.js";
import { ask } from "./dialogs.js";
import { duration, moment, number, plural, shortId, visible } from "./format.js";
import { changeQuery } from "./router.js";
import { announce } from "./status.js";
import { View, cell, html, loading, nothing, problemBox, repeat, time, title } from "./view.js";

/** @typedef {import("./types.js").OutboxEvent} OutboxEvent */

const STATES = [
  ["", "Any"],
  ["waiting", "Waiting"],
  ["rejected", "Rejected"],
  ["published", "Published"],
];
const LIMIT = 100;
const POLL_MILLISECONDS = 5000;

class OutboxView extends View {
  static properties = { query: { attribute: false } };
  /** @type {import("./types.js").Outbox|null} */
  #outbox = null;
  /** @type {import("./api.js").Problem|null} */
  #problem = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  #timer;

  constructor() {
    super();
    this.query = "";
  }

  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => document.hidden || void this.#load(), POLL_MILLISECONDS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  get #state() {
    return new URLSearchParams(this.query).get("state") ?? "";
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("query")) void this.#load();
  }

  async #load() {
    const asked = this.query;
    try {
      const outbox = await fetchJson("operations/outbox", { query: { state: this.#state, limit: LIMIT } });
      if (asked !== this.query) return;
      [this.#outbox, this.#problem] = [outbox, null];
    } catch (error) {
      this.#problem = asProblem(error);
    }
    this.requestUpdate();
  }

  render() {
    const outbox = this.#outbox;
    return html`${title("Outbox")}
      <p class="lead">Events on their way to the bus. Those that the bus refuses stay here, until they are tried again.</p>
      ${problemBox(this.#problem)} ${outbox ? this.#content(outbox) : this.#problem ? nothing : loading("Reading the outbox")}`;
  }

  /** @param {import("./types.js").Outbox} outbox */
  #content({ counts, events }) {
    return html`<dl class="tiles">
        ${tile("Waiting", number(counts.waiting), counts.waiting ? `oldest ${duration(counts.oldest_waiting_seconds)}` : "")}
        ${tile("Rejected", number(counts.rejected), counts.rejected ? "refused by the bus" : "")}
        ${tile("Published", number(counts.published), "")}
      </dl>
      <div class="row between">
        ${this.#filter()}
        ${counts.rejected
          ? html`<button type="button" @click=${() => this.#retryAll(counts.rejected)}>Try all rejected again</button>`
          : nothing}
      </div>
      ${events.length ? this.#table(events) : html`<p class="card empty">There are no such events.</p>`}`;
  }

  #filter() {
    const change = (/** @type {Event} */ event) => changeQuery({ state: /** @type {HTMLSelectElement} */ (event.target).value });
    return html`<form class="filters row" aria-label="Filters">
      <div class="field">
        <label for="outbox-state">State</label>
        <select id="outbox-state" @change=${change}>
          ${STATES.map(([value, text]) => html`<option value=${value} ?selected=${value === this.#state}>${text}</option>`)}
        </select>
      </div>
    </form>`;
  }

  /** @param {OutboxEvent[]} events */
  #table(events) {
    return html`<table class="list">
        <caption class="unseen">Events, those added last first</caption>
        <thead>
          <tr><th scope="col">Event</th><th scope="col">State</th><th scope="col">Attempts</th><th scope="col">Added</th><th scope="col">Actions</th></tr>
        </thead>
        <tbody>${repeat(events, (each) => each.interaction_id, (each) => this.#row(each))}</tbody>
      </table>
      ${events.length === LIMIT ? html`<p class="quiet">The last ${LIMIT} events are shown.</p>` : nothing}`;
  }

  /** @param {OutboxEvent} event */
  #row(event) {
    const name = shortId(event.interaction_id);
    const again = html`<button type="button" class="small" aria-label=${`Try ${name} again`} @click=${() => this.#retry({ interaction_id: event.interaction_id })}>
      Try again
    </button>`;
    return html`<tr>
      <th scope="row"><span class="mono" title=${event.interaction_id}>${name}</span> <span class="quiet">tenant <span class="mono" title=${event.tenant_id}>${shortId(event.tenant_id)}</span></span></th>
      ${cell("State", state(event))} ${cell("Attempts", attempts(event))} ${cell("Added", time(event.added_at, moment(event.added_at)))}
      ${cell("Actions", event.state === "published" ? html`<span class="quiet">–</span>` : again)}
    </tr>`;
  }

  /** @param {number} count */
  async #retryAll(count) {
    const body = html`<p>${plural(count, "event")} will be sent again. Those that the bus refuses come back here.</p>`;
    if (await ask({ title: "Try all rejected events again?", body, action: "Try again" })) await this.#retry({ all_rejected: true });
  }

  /** @param {Record<string, string|boolean>} query */
  async #retry(query) {
    try {
      const { events } = await fetchJson("operations/outbox/retry", { method: "POST", query });
      announce(`${plural(events, "event")} due now`);
      await this.#load();
    } catch (error) {
      this.#problem = asProblem(error);
      this.requestUpdate();
    }
  }
}

/** @param {OutboxEvent} event */
function state(event) {
  const names = { waiting: "Waiting", rejected: "Rejected", published: "Published" };
  return html`<span class="badge ${event.state}">${names[event.state]}</span>
    ${event.due_at ? html`<span class="quiet">next attempt ${time(event.due_at, moment(event.due_at))}</span>` : nothing}
    ${event.event_id ? html`<span class="quiet mono">${visible(event.event_id)}</span>` : nothing}`;
}

/** @param {OutboxEvent} event */
function attempts(event) {
  return html`${number(event.attempts)} failed ${event.reason ? html`<span class="reason">${visible(event.reason)}</span>` : nothing}`;
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} more
 */
function tile(name, value, more) {
  return html`<div class="card"><dt>${name}</dt><dd><span class="big">${value}</span> <span class="quiet">${more}</span></dd></div>`;
}

customElements.define("outbox-view", OutboxView);
