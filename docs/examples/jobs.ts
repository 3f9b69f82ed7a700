// Transcribes a recording as a job, in a browser or in Node.js 20 or later: submits it, follows it to its end, and returns the
// transcript. Server-sent events are read with fetch, because an EventSource can send no headers.

interface Job {
  id: string;
  state: "queued" | "processing" | "completed" | "failed" | "cancelled";
  revision: number;
  progress: { done_seconds: number; total_seconds: number | null; eta_seconds: number | null };
  problem: { type: string; detail: string; retryable: boolean } | null;
  links: { self: string; events: string; transcript: string | null; retry: string | null };
}

const FINAL = new Set(["completed", "failed", "cancelled"]);
const RECONNECT_MILLISECONDS = 3000;

export class Transcriptions {
  constructor(
    private readonly service: string,
    private readonly tenant: string,
    private readonly credentials?: string, // an API key or a token
  ) {}

  /** Submits a recording; the same key means the same job, so call it again after any failure. */
  async submit(recording: Blob, key: string, metadata: object = {}): Promise<Job> {
    const form = new FormData();
    form.append("file", recording);
    form.append("metadata", JSON.stringify(metadata));
    const answer = await this.call("/batch/jobs", { method: "POST", body: form, headers: { "Idempotency-Key": key } });
    return (await answer.json()) as Job;
  }

  /** Returns the job once it has ended, and connects again after each interruption. */
  async follow(job: Job, onProgress: (job: Job) => void = () => {}, signal?: AbortSignal): Promise<Job> {
    while (!FINAL.has(job.state)) {
      try {
        for await (const snapshot of this.snapshots(job, signal)) onProgress((job = snapshot));
      } catch (error) {
        if (signal?.aborted || error instanceof RefusedError) throw error;
      }
      if (!FINAL.has(job.state)) await new Promise((resume) => setTimeout(resume, RECONNECT_MILLISECONDS));
    }
    return job;
  }

  async transcript(job: Job, form = "text/plain"): Promise<string> {
    if (job.links.transcript === null) throw new Error(job.problem?.detail ?? job.state);
    return (await this.call(job.links.transcript, { headers: { Accept: form } })).text();
  }

  private async *snapshots(job: Job, signal?: AbortSignal): AsyncGenerator<Job> {
    const answer = await this.call(job.links.events, { signal, headers: { "Last-Event-ID": String(job.revision) } });
    if (answer.body === null) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let unread = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const messages = (unread + part.value).split("\n\n"); // a part may end in the middle of a message
      unread = messages.pop() ?? "";
      for (const message of messages) {
        const data = message.split("\n").find((line) => line.startsWith("data: ")); // none: a heartbeat
        if (data !== undefined) yield JSON.parse(data.slice("data: ".length)) as Job;
      }
    }
  }

  private async call(path: string, init: RequestInit): Promise<Response> {
    const proof = this.credentials ? { Authorization: `Bearer ${this.credentials}` } : {};
    const headers = { ...init.headers, ...proof, "X-Tenant-ID": this.tenant };
    const answer = await fetch(this.service + path, { ...init, headers });
    if (answer.status >= 400 && answer.status < 500) throw new RefusedError(await answer.text());
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return answer;
  }
}

/** The request is at fault: another try would fail as well. The message is a problem (RFC 9457) in JSON. */
export class RefusedError extends Error {}
