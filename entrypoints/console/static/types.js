// @ts-check
/**
 * Types of the API's answers; see `/openapi.json`.
 *
 * @typedef {"queued"|"processing"|"completed"|"failed"|"cancelled"} JobState
 * @typedef {"fetching"|"transcribing"|"cleaning"} JobStage
 * @typedef {"completed"|"failed"|"erased"} EventKind
 *
 * @typedef {object} ProblemBody
 * @property {string} [type]
 * @property {string} [title]
 * @property {number} [status]
 * @property {string} [detail]
 *
 * @typedef {object} Job
 * @property {string} id
 * @property {string} interaction_id
 * @property {string} user_id
 * @property {JobState} state
 * @property {JobStage|null} stage
 * @property {{done_seconds: number, total_seconds: number|null, eta_seconds: number|null}} progress
 * @property {string} created_at
 * @property {string|null} started_at
 * @property {string} updated_at
 * @property {string|null} finished_at
 * @property {number} revision
 * @property {(ProblemBody & {retryable: boolean})|null} problem
 * @property {Record<string, unknown>} metadata
 * @property {{channels: string, tracks: string, language: string|null, vocabulary: string[]}} options
 * @property {{size: number}|null} recording
 * @property {{url: string}|null} source
 * @property {string|null} retry_of
 * @property {string|null} retried_as
 * @property {{code: string, detail: string}[]} warnings
 * @property {{self: string, transcript: string|null, retry: string|null, cancel: string|null}} links
 *
 * @typedef {{jobs: Job[], next: string|null}} JobList
 *
 * @typedef {{start: number, end: number, text: string, confidence?: number}} Word
 *
 * @typedef {object} Segment
 * @property {number} start
 * @property {number} end
 * @property {string} text
 * @property {Word[]} [words]
 * @property {string} [speaker]
 * @property {number} [track]
 * @property {number} [channel]
 * @property {boolean} [is_doubtful]
 *
 * @typedef {object} Transcript
 * @property {string} raw_transcript
 * @property {string} cleaned_transcript
 * @property {string} cleaner
 * @property {number} fallback_segments
 * @property {number} duration_seconds
 * @property {Segment[]} segments
 * @property {string} [language]
 * @property {string} [engine]
 * @property {string} [model]
 * @property {{suspect_units: number, retried_units: number, coverage: number}} quality
 * @property {{code: string, detail: string}[]} warnings
 *
 * @typedef {{duration_seconds: number, peaks: number[]}} Waveform
 *
 * @typedef {object} Delivery
 * @property {string|null} stored_at
 * @property {"waiting"|"rejected"|"published"|"pruned"|"disabled"|null} state
 * @property {number} attempts
 * @property {string|null} due_at
 * @property {string|null} published_at
 * @property {string|null} reason
 * @property {string|null} event_id
 * @property {string|null} transport
 * @property {string|null} detail_type
 * @property {string|null} event_interaction_id
 *
 * @typedef {object} DeadLetter
 * @property {string} id
 * @property {string|null} interaction_id
 * @property {string|null} tenant_id
 * @property {string|null} version
 * @property {string|null} sent_at
 * @property {number} receive_count
 * @property {number} size
 * @property {{code: string, message: string, attempts: number|null, exhausted: string}|null} undelivered
 * @property {{place: string, what: string}[]} problems
 *
 * @typedef {{counts: {waiting: number, in_flight: number}, dead_letters: DeadLetter[]}} DeadLetters
 *
 * @typedef {{ok: boolean, moved: number, undeleted: number, failed: number, skipped: number, erased: number, problem: string|null}} Redriven
 * @typedef {{ok: boolean, archived: number, failed: number, problem: string|null, place: string}} Archived
 *
 * @typedef {object} RouteResource
 * @property {string} component
 * @property {string} name
 * @property {boolean|null} exists
 * @property {boolean} ok
 * @property {string|null} state
 * @property {{attribute: string, wanted: string, found: string, ours: boolean}[]} differences
 * @property {string|null} problem
 * @property {{waiting: number, in_flight: number, oldest_seconds: number|null}|null} load
 *
 * @typedef {{kind: EventKind, ok: boolean, problem: string|null, resources: RouteResource[], other_targets: string[]}} EventRoute
 * @typedef {{transport: string, ok: boolean, routes: EventRoute[]}} Routes
 *
 * @typedef {object} Verification
 * @property {EventKind} kind
 * @property {boolean} ok
 * @property {string} test_interaction_id
 * @property {boolean} arrived
 * @property {number} seconds
 * @property {number} messages_seen
 * @property {{component: string, problem: string, evidence: string, remedy: string, proven: boolean}[]} findings
 *
 * @typedef {object} OutboxEvent
 * @property {string} interaction_id
 * @property {string} tenant_id
 * @property {"waiting"|"published"|"rejected"} state
 * @property {string} added_at
 * @property {number} attempts
 * @property {string|null} due_at
 * @property {string|null} published_at
 * @property {string|null} event_id
 * @property {string|null} reason
 *
 * @typedef {object} Outbox
 * @property {{waiting: number, rejected: number, published: number, oldest_waiting_seconds: number}} counts
 * @property {OutboxEvent[]} events
 *
 * @typedef {object} SessionFacts
 * @property {string} auth
 * @property {boolean} signed_in
 * @property {string|null} tenant_id
 * @property {string|null} user_id
 * @property {string[]} scopes
 * @property {number} max_upload_bytes
 * @property {boolean} recordings_are_kept
 */

export {};
