// @ts-check
/** Frame of the console: navigation, the view of the route, and the line of messages. */

import { parseRoute } from "./router.js";
import { session } from "./session.js";
import "./sign-in.js";
import { uploads } from "./uploads/queue.js";
import { View, html, loading, nothing, problemBox, title } from "./view.js";

/** @type {Record<string, {title: string, load: () => Promise<unknown>, operator?: boolean, hidden?: boolean}>} */
const VIEWS = {
  upload: { title: "Upload", load: () => import("./uploads.js") },
  jobs: { title: "Jobs", load: () => import("./jobs.js") },
  transcript: { title: "Transcript", load: () => import("./transcript.js"), hidden: true },
  "dead-letters": { title: "Dead letters", load: () => import("./dead-letters.js"), operator: true },
  route: { title: "Route", load: () => import("./route.js"), operator: true },
  outbox: { title: "Outbox", load: () => import("./outbox.js"), operator: true },
};

class ConsoleApp extends View {
  follows = [session, uploads];
  #route = parseRoute(location.hash);
  /** @type {Set<string>} */
  #loaded = new Set();
  /** @type {string|null} */
  #failed = null;
  /** @type {boolean|null} Null until the session is known. */
  #wasSignedIn = null;

  connectedCallback() {
    super.connectedCallback();
    addEventListener("hashchange", this.#navigate);
    addEventListener("beforeunload", warnOfUploads);
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
    document.querySelector("[data-skip]")?.addEventListener("click", this.#skip);
    session.addEventListener("change", this.#onSession);
    void session.load();
  }

  #navigate = async () => {
    const before = this.#route;
    this.#route = parseRoute(location.hash);
    const isSame = before.view === this.#route.view && before.id === this.#route.id;
    await this.#load();
    if (!isSame) this.#focusTitle();
  };

  /** Show the sign-in form, or the view behind it; the focus goes with a change of the two. */
  #onSession = async () => {
    const isChanged = this.#wasSignedIn !== null && this.#wasSignedIn !== session.isSignedIn;
    this.#wasSignedIn = session.isSignedIn;
    await this.#load();
    if (isChanged) this.#focusTitle();
  };

  /** Load the module of the view; a route without one has none. */
  async #load() {
    const { view } = this.#route;
    document.title = `${VIEWS[view]?.title ?? "Not found"} · Transcripts`;
    try {
      if (session.isSignedIn) await VIEWS[view]?.load();
      this.#loaded.add(view);
      this.#failed = null;
    } catch {
      this.#failed = view;
    }
    this.requestUpdate();
    await this.updateComplete;
  }

  /** Tell keyboard and screen reader where they are. */
  #focusTitle() {
    requestAnimationFrame(() => {
      scrollTo(0, 0);
      /** @type {HTMLElement|null} */ (this.querySelector("main h1"))?.focus({ preventScroll: true });
    });
  }

  /** @param {Event} event */
  #skip = (event) => {
    event.preventDefault();
    /** @type {HTMLElement|null} */ (this.querySelector("main"))?.focus();
  };

  render() {
    return html`<header class="top">
        <a class="brand" href="#/upload">Transcripts</a>
        ${session.isSignedIn ? this.#navigation() : nothing}
        <who-panel></who-panel>
      </header>
      <main id="main" tabindex="-1">${this.#content()}</main>
      <div id="status" role="status" aria-live="polite"></div>`;
  }

  #navigation() {
    const shown = Object.entries(VIEWS).filter(([, each]) => !each.hidden && (!each.operator || session.may("operate")));
    return html`<nav aria-label="Views">
      <ul>
        ${shown.map(([name, each]) => html`<li><a href="#/${name}" aria-current=${this.#isCurrent(name) ? "page" : nothing}>${each.title}</a></li>`)}
      </ul>
    </nav>`;
  }

  /** @param {string} name */
  #isCurrent(name) {
    return this.#route.view === name || (name === "jobs" && this.#route.view === "transcript");
  }

  #content() {
    if (!session.facts) return session.problem ? this.#offline() : loading("Loading");
    if (!session.isSignedIn) return html`<sign-in-view></sign-in-view>`;
    const { view } = this.#route;
    if (!VIEWS[view]) return this.#missing();
    if (VIEWS[view].operator && !session.may("operate")) return this.#forbidden();
    if (this.#failed === view) return problemBox({ title: "The view could not be loaded", detail: "Reload the page." });
    return this.#loaded.has(view) ? this.#view() : loading("Loading");
  }

  #view() {
    const { view, id, query } = this.#route;
    const text = query.toString();
    switch (view) {
      case "jobs":
        return html`<jobs-view .query=${text}></jobs-view>`;
      case "transcript":
        return html`<transcript-view .job_id=${id}></transcript-view>`;
      case "dead-letters":
        return html`<dead-letters-view .query=${text}></dead-letters-view>`;
      case "route":
        return html`<route-view></route-view>`;
      case "outbox":
        return html`<outbox-view .query=${text}></outbox-view>`;
      default:
        return html`<upload-view></upload-view>`;
    }
  }

  #offline() {
    return html`${title("Transcripts")}
    ${problemBox(session.problem, html`<button type="button" @click=${() => session.load()}>Try again</button>`)}`;
  }

  #missing() {
    return html`${title("Not found")}
      <p>There is no such view. Go to <a href="#/upload">Upload</a> or <a href="#/jobs">Jobs</a>.</p>`;
  }

  #forbidden() {
    return html`${title("Not allowed")}
      <p>This view needs the scope <code>operate</code>, which your session lacks.</p>`;
  }
}

/** @param {BeforeUnloadEvent} event */
function warnOfUploads(event) {
  if (uploads.isBusy) event.preventDefault();
}

customElements.define("console-app", ConsoleApp);
