// @ts-check
/** Dead letters: why they came, their bodies on demand, and their way back or to the archive. */

import { asProblem, fetchJson } from "./api.js";
import { LIMIT, carryOut } from "./dead-letters/move.js";
import { moment, number, plural, shortId, size, visible } from "./format.js";
import { icon } from "./icons.js";
import { changeQuery } from "./router.js";
import { View, cell, html, loading, nothing, problemBox, repeat, time, title } from "./view.js";

/** @typedef {import("./types.js").DeadLetter} DeadLetter */

const KINDS = ["completed", "failed", "erased"];

class DeadLettersView extends View {
  static properties = { query: { attribute: false } };
  /** @type {import("./types.js").DeadLetters|null} */
  #found = null;
  /** @type {import("./api.js").Problem|null} */
  #problem = null;
  /** @type {Map<string, string>} */
  #bodies = new Map();
  #result = "";
  #isBusy = false;
  #readAt = "";

  constructor() {
    super();
    this.query = "";
  }

  get #kind() {
    return new URLSearchParams(this.query).get("kind") ?? "completed";
  }

  get #tenant() {
    return new URLSearchParams(this.query).get("tenant_id") ?? "";
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("query")) void this.#load();
  }

  async #load() {
    [this.#found, this.#problem] = [null, null];
    this.#bodies.clear();
    const asked = this.query;
    await this.#attempt(async () => {
      const query = { kind: this.#kind, tenant_id: this.#tenant, limit: LIMIT };
      const found = await fetchJson("operations/dead-letters", { query });
      if (asked === this.query) this.#found = found;
      this.#readAt = new Date().toISOString();
    });
  }

  /** @param {() => Promise<void>} action */
  async #attempt(action) {
    this.#problem = null;
    this.#isBusy = true;
    this.requestUpdate();
    try {
      await action();
    } catch (error) {
      this.#problem = asProblem(error);
    }
    this.#isBusy = false;
    this.requestUpdate();
  }

  render() {
    const found = this.#found;
    return html`${title("Dead letters")}
      <p class="lead">Messages that could not be delivered, or that consumers gave up. Each look at this list counts as a receive.</p>
      ${this.#filters()} ${this.#result ? html`<p class="note good" role="status">${this.#result}</p>` : nothing} ${problemBox(this.#problem)}
      ${found ? this.#content(found) : this.#isBusy ? loading("Looking at the queue, which takes some seconds") : nothing}`;
  }

  #filters() {
    return html`<form class="filters row" aria-label="Filters" @submit=${this.#search}>
      <div class="field">
        <label for="kind">Kind of events</label>
        <select id="kind" @change=${(/** @type {Event} */ event) => changeQuery({ kind: /** @type {HTMLSelectElement} */ (event.target).value })}>
          ${KINDS.map((each) => html`<option value=${each} ?selected=${each === this.#kind}>${each}</option>`)}
        </select>
      </div>
      <div class="field grow">
        <label for="tenant">Tenant</label>
        <input id="tenant" name="tenant" class="mono" placeholder="all tenants" .value=${this.#tenant} />
      </div>
      <button>Look again</button>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  #search = (event) => {
    event.preventDefault();
    const tenant = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("tenant")).trim();
    this.#result = "";
    if (tenant === this.#tenant) void this.#load();
    else changeQuery({ tenant_id: tenant });
  };

  /** @param {import("./types.js").DeadLetters} found */
  #content({ counts, dead_letters: letters }) {
    const held = counts.in_flight ? `, ${number(counts.in_flight)} held by other readers` : "";
    return html`<div class="row between">
        <p class="quiet">About ${number(counts.waiting)} waiting${held}. Read ${time(this.#readAt, moment(this.#readAt))}.</p>
        ${letters.length ? this.#moveButtons(letters) : nothing}
      </div>
      ${letters.length ? this.#table(letters) : html`<div class="card empty"><p>${icon("check")} There are no dead letters of this kind.</p></div>`}`;
  }

  /** @param {DeadLetter[]} letters */
  #moveButtons(letters) {
    const count = plural(letters.length, "message");
    return html`<div class="row">
      <button type="button" ?disabled=${this.#isBusy} @click=${() => this.#move("redrive", letters)}>Redrive ${count}</button>
      <button type="button" ?disabled=${this.#isBusy} @click=${() => this.#move("archive", letters)}>Archive ${count}</button>
    </div>`;
  }

  /** @param {DeadLetter[]} letters */
  #table(letters) {
    return html`<table class="list">
      <caption class="unseen">Dead letters</caption>
      <thead>
        <tr><th scope="col">Message</th><th scope="col">Reason</th><th scope="col">Contract</th><th scope="col">Sent</th><th scope="col">Actions</th></tr>
      </thead>
      <tbody>${repeat(letters, (each) => each.id, (each) => this.#rows(each))}</tbody>
    </table>`;
  }

  /** @param {DeadLetter} letter */
  #rows(letter) {
    const body = this.#bodies.get(letter.id);
    return html`<tr>
        <th scope="row"><span class="mono" title=${letter.id}>${shortId(letter.interaction_id ?? letter.id)}</span> <span class="quiet">${size(letter.size)}, ${plural(letter.receive_count, "receive")}</span>
          <span class="quiet">tenant <span class="mono" title=${letter.tenant_id ?? "not readable"}>${shortId(letter.tenant_id)}</span></span></th>
        ${cell("Reason", reasonOf(letter))} ${cell("Contract", violations(letter))}
        ${cell("Sent", time(letter.sent_at, moment(letter.sent_at)))} ${cell("Actions", this.#letterButtons(letter))}
      </tr>
      ${body === undefined ? nothing : html`<tr class="body"><td colspan="5"><pre tabindex="0" aria-label="Body of message ${shortId(letter.id)}">${visible(body)}</pre></td></tr>`}`;
  }

  /** @param {DeadLetter} letter */
  #letterButtons(letter) {
    const isShown = this.#bodies.has(letter.id);
    const name = shortId(letter.interaction_id ?? letter.id);
    return html`<div class="row actions">
      <button
        type="button"
        class="small"
        aria-expanded=${isShown}
        aria-label=${`${isShown ? "Hide" : "Show"} the body of ${name}`}
        title="Each look counts as a receive"
        @click=${() => this.#toggleBody(letter)}
      >
        ${isShown ? "Hide the body" : "Show the body"}
      </button>
      <button type="button" class="small" aria-label=${`Redrive ${name}`} @click=${() => this.#move("redrive", [letter], true)}>Redrive</button>
      <button type="button" class="small" aria-label=${`Archive ${name}`} @click=${() => this.#move("archive", [letter], true)}>Archive</button>
    </div>`;
  }

  /** @param {DeadLetter} letter */
  async #toggleBody(letter) {
    if (this.#bodies.delete(letter.id)) return this.requestUpdate();
    await this.#attempt(async () => {
      const path = `operations/dead-letters/${encodeURIComponent(letter.id)}`;
      const { body } = await fetchJson(path, { query: { kind: this.#kind } });
      this.#bodies.set(letter.id, pretty(body));
    });
  }

  /**
   * @param {import("./dead-letters/move.js").Move} move
   * @param {DeadLetter[]} letters
   * @param {boolean} [isSingle]
   */
  async #move(move, letters, isSingle = false) {
    const waiting = this.#found?.counts.waiting ?? 0;
    await this.#attempt(async () => {
      const words = await carryOut({ move, kind: this.#kind, letters, tenant: this.#tenant, isSingle, waiting });
      if (words === null) return;
      this.#result = words;
      await this.#load();
    });
  }
}

/** @param {DeadLetter} letter */
function reasonOf({ undelivered, receive_count: count }) {
  if (!undelivered) return html`Consumers received it too often <span class="quiet">(${plural(count, "receive")})</span>`;
  const { code, message, attempts, exhausted } = undelivered;
  return html`<strong>${visible(code)}</strong> ${visible(message)}
    <span class="quiet">${attempts === null ? "" : `after ${plural(attempts, "attempt")}`} ${visible(exhausted)}</span>`;
}

/** @param {DeadLetter} letter */
function violations({ problems, version }) {
  if (!problems.length) return html`<span class="ok">${icon("check")} Kept</span> <span class="quiet">${version ? `version ${visible(version)}` : ""}</span>`;
  return html`<span class="doubt">${icon("warning")} Broken</span>
    <ul class="plain">${problems.map((each) => html`<li><span class="mono">${visible(each.place)}</span> ${visible(each.what)}</li>`)}</ul>`;
}

/** @param {string} body */
function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

customElements.define("dead-letters-view", DeadLettersView);
