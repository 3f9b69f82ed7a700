// @ts-check
/** Route of the events: its resources, their differences from the definition, the queues, and a test event. */

import { asProblem, fetchJson } from "./api.js";
import { duration, number, plural, visible } from "./format.js";
import { icon } from "./icons.js";
import { announce } from "./status.js";
import { View, cell, html, loading, nothing, problemBox, title } from "./view.js";

/** @typedef {import("./types.js").EventRoute} EventRoute */
/** @typedef {import("./types.js").RouteResource} RouteResource */
/** @typedef {import("./types.js").Verification} Verification */

const TIMEOUT_SECONDS = 30;

class RouteView extends View {
  /** @type {import("./types.js").Routes|null} */
  #routes = null;
  /** @type {import("./api.js").Problem|null} */
  #problem = null;
  /** @type {Map<string, Verification|import("./api.js").Problem>} */
  #verified = new Map();
  /** @type {string|null} */
  #verifying = null;
  #elapsed = 0;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  #timer;

  connectedCallback() {
    super.connectedCallback();
    void this.#load();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  #load = async () => {
    [this.#routes, this.#problem] = [null, null];
    this.requestUpdate();
    try {
      this.#routes = await fetchJson("operations/route");
    } catch (error) {
      this.#problem = asProblem(error);
    }
    this.requestUpdate();
  };

  render() {
    const routes = this.#routes;
    return html`<div class="row between">
        ${title("Route of the events")}
        <button type="button" ?disabled=${!routes && !this.#problem} @click=${this.#load}>Look again</button>
      </div>
      <p class="lead">What an event passes on its way to consumers. Looking changes nothing.</p>
      ${problemBox(this.#problem)} ${routes ? this.#content(routes) : this.#problem ? nothing : loading("Reading the route")}`;
  }

  /** @param {import("./types.js").Routes} routes */
  #content({ transport, routes }) {
    if (!routes.length) return html`<p class="card empty">Events go to ${transport}, which has no route that could be looked at.</p>`;
    return routes.map((each) => this.#route(each));
  }

  /** @param {EventRoute} route */
  #route(route) {
    return html`<section class="route" aria-labelledby="route-${route.kind}">
      <div class="row between">
        <h2 id="route-${route.kind}">Events of the kind ${route.kind} ${mark(route.ok, "As defined", "Needs attention")}</h2>
        <button
          type="button"
          class="primary"
          aria-label=${`Verify the route of ${route.kind} events`}
          ?disabled=${this.#verifying !== null}
          @click=${() => this.#verify(route.kind)}
        >
          Verify
        </button>
      </div>
      ${problemBox(route.problem ? { title: "The route cannot be inspected", detail: route.problem } : null)}
      ${this.#verification(route.kind)} ${route.resources.length ? table(route) : nothing}
      ${route.other_targets.length ? html`<p class="quiet">Targets that others have added: ${visible(route.other_targets.join(", "))}</p>` : nothing}
    </section>`;
  }

  /** @param {string} kind */
  #verification(kind) {
    if (this.#verifying === kind) {
      return html`<p class="note" role="status">A test event is on its way. This takes up to ${TIMEOUT_SECONDS} seconds.</p>
        <p class="quiet" aria-hidden="true">${plural(this.#elapsed, "second")} so far</p>`;
    }
    const found = this.#verified.get(kind);
    if (!found) return nothing;
    return "findings" in found ? result(found) : problemBox(found);
  }

  /** @param {import("./types.js").EventKind} kind */
  async #verify(kind) {
    this.#start(kind);
    try {
      /** @type {Verification} */
      const found = await fetchJson("operations/route/verify", { method: "POST", query: { kind, timeout: TIMEOUT_SECONDS } });
      this.#verified.set(kind, found);
      announce(found.ok ? `The route of ${kind} events works` : `The route of ${kind} events has faults`);
    } catch (error) {
      this.#verified.set(kind, asProblem(error));
    }
    clearInterval(this.#timer);
    this.#verifying = null;
    this.requestUpdate();
  }

  /** @param {string} kind */
  #start(kind) {
    [this.#verifying, this.#elapsed] = [kind, 0];
    this.#timer = setInterval(() => {
      this.#elapsed++;
      this.requestUpdate();
    }, 1000);
    this.requestUpdate();
  }
}

/** @param {Verification} found */
function result({ ok, arrived, seconds, messages_seen: seen, findings }) {
  const arrival = arrived ? `The test event arrived; the check took ${number(seconds)} s.` : `The test event did not arrive within ${number(seconds)} s.`;
  return html`<div class="note ${ok ? "good" : "bad"}" role="status">
    <p><strong>${ok ? "The route works." : "The route has faults."}</strong> ${arrival} ${plural(seen, "message")} examined in the queue.</p>
    ${findings.length ? html`<ul class="findings">${findings.map(finding)}</ul>` : nothing}
  </div>`;
}

/** @param {Verification["findings"][number]} found */
function finding({ component, problem, evidence, remedy, proven }) {
  return html`<li>
    <strong>${component}: ${visible(problem)}</strong> ${proven ? nothing : html`<span class="quiet">(not checked, may be sound)</span>`}
    <dl class="facts">
      <dt>Evidence</dt>
      <dd>${visible(evidence)}</dd>
      <dt>What to do</dt>
      <dd>${visible(remedy)}</dd>
    </dl>
  </li>`;
}

/** @param {EventRoute} route */
function table({ kind, resources }) {
  return html`<table class="list">
    <caption class="unseen">Resources of the route of ${kind} events</caption>
    <thead>
      <tr><th scope="col">Component</th><th scope="col">Name</th><th scope="col">State</th><th scope="col">Differences</th><th scope="col">Messages</th></tr>
    </thead>
    <tbody>${resources.map(row)}</tbody>
  </table>`;
}

/** @param {RouteResource} resource */
function row(resource) {
  return html`<tr>
    <th scope="row">${resource.component}</th>
    ${cell("Name", html`<span class="mono">${visible(resource.name)}</span>`)} ${cell("State", stateOf(resource))}
    ${cell("Differences", differences(resource))} ${cell("Messages", loadOf(resource))}
  </tr>`;
}

/** @param {RouteResource} resource */
function stateOf({ ok, exists, state, problem }) {
  const words = exists === null ? "Not readable" : exists ? (state ?? "Exists") : ok ? "Not used" : "Missing";
  return html`${mark(ok, words, words)} ${problem ? html`<span class="quiet">${visible(problem)}</span>` : nothing}`;
}

/** @param {RouteResource} resource */
function differences({ differences: found }) {
  if (!found.length) return html`<span class="quiet">None</span>`;
  return html`<ul class="plain">
    ${found.map(
      (each) => html`<li>
        ${each.ours ? html`<span class="doubt">${icon("warning")} ${visible(each.attribute)}</span>` : html`${visible(each.attribute)} <span class="quiet">(added by others, left)</span>`}
        <span class="quiet">wanted</span> <span class="mono">${visible(each.wanted)}</span>
        <span class="quiet">found</span> <span class="mono">${visible(each.found)}</span>
      </li>`,
    )}
  </ul>`;
}

/** @param {RouteResource} resource */
function loadOf({ load }) {
  if (!load) return html`<span class="quiet">–</span>`;
  const oldest = load.oldest_seconds === null ? "" : `oldest ${duration(load.oldest_seconds)}`;
  return html`${number(load.waiting)} waiting, ${number(load.in_flight)} in flight <span class="quiet">${oldest}</span>`;
}

/**
 * @param {boolean} ok
 * @param {string} good
 * @param {string} bad
 */
function mark(ok, good, bad) {
  return ok ? html`<span class="ok">${icon("check")} ${good}</span>` : html`<span class="doubt">${icon("warning")} ${bad}</span>`;
}

customElements.define("route-view", RouteView);
