// @ts-check
/** Sign-in form, and the panel that shows and changes who acts. */

import { shortId, uuid, visible } from "./format.js";
import { session } from "./session.js";
import { View, html, nothing, problemBox } from "./view.js";

const UUID_PATTERN = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}";

class SignInView extends View {
  follows = [session];
  #isBusy = false;

  render() {
    return html`<section class="card narrow" aria-labelledby="sign-in-title">
      <h1 tabindex="-1" id="sign-in-title">${session.takesKeys ? "Sign in" : "Not signed in"}</h1>
      ${problemBox(session.problem)} ${session.takesKeys ? this.#form() : this.#advice()}
    </section>`;
  }

  #form() {
    return html`<form @submit=${this.#submit}>
      <label for="key">API key</label>
      <input id="key" name="key" type="password" autocomplete="off" required placeholder="bt_…" aria-describedby="key-hint" />
      <p class="hint" id="key-hint">
        The key is traded for a session of this browser, and is not kept here. <code>transcripts keys</code> makes keys.
      </p>
      <button class="primary" ?disabled=${this.#isBusy}>Sign in</button>
    </form>`;
  }

  #advice() {
    if (session.isOpen) return html`<p>No session could be started.</p>${reloadButton()}`;
    const cause =
      session.facts?.auth === "gateway"
        ? "The gateway before the service did not say who you are. Sign in at the gateway, then reload this page."
        : "This service accepts tokens alone. A gateway before it must add the token to each request; then reload this page.";
    return html`<p>${cause}</p>${reloadButton()}`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    this.#isBusy = true;
    this.requestUpdate();
    await session.signIn({ key: String(new FormData(form).get("key")).trim() });
    this.#isBusy = false;
    form.reset();
    this.requestUpdate();
  }
}

function reloadButton() {
  return html`<button type="button" @click=${() => session.load()}>Try again</button>`;
}

class WhoPanel extends View {
  follows = [session];

  render() {
    const facts = session.facts;
    if (!facts?.signed_in) return nothing;
    return html`<details class="who" @keydown=${this.#close}>
      <summary aria-label=${`Who: user ${facts.user_id ?? "unknown"}, tenant ${facts.tenant_id ?? "unknown"}`}>
        <bdi>${visible(facts.user_id ?? "unknown")}</bdi>
        <span class="quiet mono">${shortId(facts.tenant_id)}</span>
      </summary>
      <div class="panel card">${session.isOpen ? this.#form(facts) : this.#facts(facts)}</div>
    </details>`;
  }

  /** @param {import("./types.js").SessionFacts} facts */
  #facts(facts) {
    return html`<dl class="facts">
        <dt>User</dt>
        <dd><bdi>${visible(facts.user_id ?? "–")}</bdi></dd>
        <dt>Tenant</dt>
        <dd class="mono">${facts.tenant_id ?? "–"}</dd>
        <dt>Allowed</dt>
        <dd>${facts.scopes.join(", ") || "nothing"}</dd>
      </dl>
      ${session.takesKeys ? html`<button type="button" @click=${() => session.signOut()}>Sign out</button>` : nothing}`;
  }

  /** @param {import("./types.js").SessionFacts} facts */
  #form(facts) {
    return html`<form @submit=${this.#submit}>
      <p class="hint">This service asks for no credentials. Jobs belong to the tenant that is named here.</p>
      <label for="who-tenant">Tenant (UUID v4)</label>
      <input id="who-tenant" name="tenant_id" class="mono" required pattern=${UUID_PATTERN} .value=${facts.tenant_id ?? ""} />
      <label for="who-user">User</label>
      <input id="who-user" name="user_id" required maxlength="256" .value=${facts.user_id ?? ""} />
      ${problemBox(session.problem)}
      <div class="row">
        <button class="primary">Use these</button>
        <button type="button" @click=${this.#renew}>New tenant</button>
      </div>
    </form>`;
  }

  /** @param {KeyboardEvent} event */
  #close(event) {
    if (event.key !== "Escape") return;
    this.querySelector("details")?.removeAttribute("open");
    this.querySelector("summary")?.focus();
  }

  #renew() {
    const field = /** @type {HTMLInputElement} */ (this.querySelector("#who-tenant"));
    field.value = uuid();
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    await session.signIn({ tenant_id: String(data.get("tenant_id")).trim(), user_id: String(data.get("user_id")).trim() });
    if (!session.problem) this.querySelector("details")?.removeAttribute("open");
  }
}

customElements.define("sign-in-view", SignInView);
customElements.define("who-panel", WhoPanel);
