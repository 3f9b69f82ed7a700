// @ts-check
/** Session of this browser: a cookie carries it, the page knows only its facts. */

import { Problem, UNAUTHENTICATED, asProblem, fetchJson, send } from "./api.js";
import { uuid } from "./format.js";

const IDENTITY_KEY = "transcripts-console-identity";
const CHANNEL = "transcripts-console-session";
const DEFAULT_USER = "console";
const RENEWAL_PAUSE_MILLISECONDS = 10_000;

/** @typedef {{tenant_id: string, user_id: string}} Identity */

class Session extends EventTarget {
  /** @type {import("./types.js").SessionFacts|null} */
  facts = null;
  /** @type {import("./api.js").Problem|null} */
  problem = null;
  #renewedAt = 0;
  #turn = Promise.resolve();
  #tabs = new BroadcastChannel(CHANNEL);

  constructor() {
    super();
    document.addEventListener(UNAUTHENTICATED, () => this.#lost());
    document.addEventListener("visibilitychange", () => document.hidden || void this.load());
    this.#tabs.onmessage = () => void this.load();
  }

  get isSignedIn() {
    return Boolean(this.facts?.signed_in);
  }

  /** True where a key is traded for a session. */
  get takesKeys() {
    return this.#modes.includes("key");
  }

  get isOpen() {
    return this.#modes.includes("open");
  }

  get #modes() {
    return this.facts?.auth.split(",") ?? [];
  }

  /** @param {"read"|"write"|"operate"} scope */
  may(scope) {
    return this.isSignedIn && Boolean(this.facts?.scopes.includes(scope));
  }

  /** Ask who is signed in; where no sign-in is needed, take the identity that this browser keeps. */
  async load() {
    await this.#attempt(async () => {
      this.facts = await fetchJson("console/session");
      if (this.isOpen && !this.isSignedIn) await this.#post(ownIdentity());
    });
  }

  /** @param {{key: string}|Identity} credentials */
  async signIn(credentials) {
    await this.#attempt(async () => {
      await this.#post(credentials);
      if ("tenant_id" in credentials) keep(credentials);
    });
  }

  async signOut() {
    await this.#attempt(async () => {
      await send("console/session", { method: "DELETE" });
      this.#forget();
      this.#tellTabs();
    });
  }

  /** @param {{key: string}|Identity} credentials */
  async #post(credentials) {
    await send("console/session", { method: "POST", json: credentials });
    this.facts = await fetchJson("console/session");
    if (!this.isSignedIn) throw cookieLost();
    this.#tellTabs();
  }

  /** All tabs of a browser share one cookie. */
  #tellTabs() {
    this.#tabs.postMessage("changed");
  }

  /**
   * Act after what was asked for before: a late answer must not undo a newer one.
   *
   * @param {() => Promise<void>} action
   */
  #attempt(action) {
    this.#turn = this.#turn.then(() => this.#act(action));
    return this.#turn;
  }

  /** @param {() => Promise<void>} action */
  async #act(action) {
    const [facts, problem] = [JSON.stringify(this.facts), this.problem];
    this.problem = null;
    try {
      await action();
    } catch (error) {
      this.problem = asProblem(error);
    }
    if (facts !== JSON.stringify(this.facts) || problem !== this.problem) this.dispatchEvent(new Event("change"));
  }

  /** Show the sign-in form again after an answer 401; without keys, ask for a new session at once. */
  #lost() {
    if (!this.isSignedIn) return;
    this.#forget();
    const now = Date.now();
    if (!this.isOpen || now - this.#renewedAt < RENEWAL_PAUSE_MILLISECONDS) {
      this.dispatchEvent(new Event("change"));
      return;
    }
    this.#renewedAt = now;
    void this.load();
  }

  #forget() {
    if (this.facts) this.facts = { ...this.facts, signed_in: false, scopes: [] };
  }
}

function cookieLost() {
  const detail = "The browser did not keep the cookie of the session. Open the console over HTTPS, or on this machine's own address.";
  return new Problem("Not signed in", detail, { type: "cookie-lost" });
}

/** @returns {Identity} */
function ownIdentity() {
  try {
    const kept = JSON.parse(localStorage.getItem(IDENTITY_KEY) ?? "null");
    if (kept?.tenant_id && kept?.user_id) return kept;
  } catch {
    // no storage, or not this console's value: begin anew
  }
  const identity = { tenant_id: uuid(), user_id: DEFAULT_USER };
  keep(identity);
  return identity;
}

/** @param {Identity} identity */
function keep(identity) {
  try {
    localStorage.setItem(IDENTITY_KEY, JSON.stringify(identity));
  } catch {
    // without storage the identity lasts as long as the cookie
  }
}

export const session = new Session();
