// A consumer of BatchProcessingCompleted in TypeScript (Node.js 20 or later), with the AWS SDK v3 and zod.
//
// Variables: QUEUE_URL; SEEN_TABLE, a DynamoDB table with the partition key `id` (a string) and its time to live on
// `expires`; PAYLOAD_BUCKET, the bucket of large transcripts. AWS_REGION, AWS_ENDPOINT_URL and the credentials are the SDK's.
//
// Where your work is a row in a database, leave the table out: a unique key on (interaction_id, replay), written
// in the same transaction as the row, does the same and cannot be interrupted between the two.

import { createHash } from "node:crypto";
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, NoSuchKey, S3Client } from "@aws-sdk/client-s3";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { z } from "zod";

const VISIBILITY_TIMEOUT = 30; // a received message is hidden from other consumers; the heartbeat extends it
const HEARTBEAT_SECONDS = 10;
const RETENTION_SECONDS = 28 * 24 * 3600; // 14 days in the queue, and 14 in the dead-letter queue
const TEST_EVENT_LABEL = "urn:batch-transcription:test-event";

// zod drops keys that it does not know: a new optional key is a minor version, which this reader must accept.
const Texts = z.object({ raw_transcript: z.string(), cleaned_transcript: z.string() });
const Reference = z.object({
  transcript_ref: z.object({ bucket: z.string(), key: z.string(), size: z.number(), sha256: z.string() }),
});
const common = {
  interaction_id: z.uuid(),
  tenant_id: z.uuid(),
  user_id: z.string(),
  account_id: z.string().nullable(),
  timestamp: z.iso.datetime(),
  status: z.literal("completed"),
};
const Event = z.union([
  z.object({ ...common, version: z.string().regex(/^1\.\d+$/), data: Texts }),
  z.object({ ...common, version: z.string().regex(/^2\.\d+$/), data: Reference }),
]);
const Envelope = z.object({
  resources: z.array(z.string()),
  "replay-name": z.string().optional(),
  detail: z.unknown(),
});
type Event = z.infer<typeof Event>;
type Texts = z.infer<typeof Texts>;

const QueueUrl = required("QUEUE_URL");
const TableName = required("SEEN_TABLE");
const Bucket = required("PAYLOAD_BUCKET"); // from the configuration: the sender of an event must not choose the bucket
const sqs = new SQSClient();
const s3 = new S3Client();
const dynamo = new DynamoDBClient();
const stopping = new AbortController();

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

// Put your work here. It may run again for the same event if this process dies at the wrong moment.
async function processEvent(event: Event, texts: Texts): Promise<void> {
  console.log("saved", event.interaction_id, texts.cleaned_transcript.length); // lengths, never the texts
}

// Undefined if the texts were erased. Without s3:ListBucket, S3 answers AccessDenied for them, and this fails.
async function textsOf(event: Event): Promise<Texts | undefined> {
  if (!("transcript_ref" in event.data)) return event.data;
  const { key, sha256 } = event.data.transcript_ref;
  const object = await s3.send(new GetObjectCommand({ Bucket, Key: key })).catch((error: unknown) => {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  });
  if (!object) return undefined;
  const content = await object.Body!.transformToByteArray();
  if (createHash("sha256").update(content).digest("hex") !== sha256)
    throw new Error("the transcripts in S3 are not those of the event");
  return Texts.parse(JSON.parse(new TextDecoder().decode(content)));
}

const now = () => Math.floor(Date.now() / 1000);

// Mark a key as in progress, for as long as its message is hidden, or as done. The owner identifies the attempt.
async function mark(id: string, owner: string, state: "working" | "done"): Promise<void> {
  const working = state === "working";
  await dynamo.send(
    new PutItemCommand({
      TableName,
      Item: {
        id: { S: id },
        owner: { S: owner },
        state: { S: state },
        lease: { N: String(working ? now() + VISIBILITY_TIMEOUT : 0) },
        expires: { N: String(now() + RETENTION_SECONDS) },
      },
      ConditionExpression:
        "attribute_not_exists(id) OR (#state = :working AND (#owner = :owner OR lease <= :now))",
      ExpressionAttributeNames: { "#owner": "owner", "#state": "state" },
      ExpressionAttributeValues: {
        ":owner": { S: owner },
        ":working": { S: "working" },
        ":now": { N: String(now()) },
      },
    }),
  );
}

// Returns false for a duplicate; throws while another consumer works on the event, so that the message is redelivered.
async function acquire(id: string, owner: string): Promise<boolean> {
  try {
    await mark(id, owner, "working");
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
  const seen = await dynamo.send(new GetItemCommand({ TableName, Key: { id: { S: id } }, ConsistentRead: true }));
  if (seen.Item?.state?.S === "done") return false;
  throw new Error("another consumer is working on it");
}

// Release the lease after a failure, so that the next attempt need not wait for its end.
async function release(id: string, owner: string): Promise<void> {
  await dynamo.send(
    new DeleteItemCommand({
      TableName,
      Key: { id: { S: id } },
      ConditionExpression: "#owner = :owner",
      ExpressionAttributeNames: { "#owner": "owner" },
      ExpressionAttributeValues: { ":owner": { S: owner } },
    }),
  );
}

async function once(message: Message): Promise<void> {
  const envelope = Envelope.parse(JSON.parse(message.Body!));
  if (envelope.resources.includes(TEST_EVENT_LABEL)) return; // it only tests the route
  const event = Event.parse(envelope.detail); // an unknown version throws, and becomes a dead letter
  const id = `${event.interaction_id}/${envelope["replay-name"] ?? ""}`;
  const owner = message.ReceiptHandle!;
  if (!(await acquire(id, owner))) return; // a duplicate
  try {
    await whileExtending(message, id, async () => {
      const texts = await textsOf(event);
      if (texts) await processEvent(event, texts);
      else console.log("erased", event.interaction_id);
    });
  } catch (error) {
    await release(id, owner).catch(logFailure(message));
    throw error;
  }
  await mark(id, owner, "done");
}

async function whileExtending(message: Message, id: string, work: () => Promise<void>): Promise<void> {
  let beat: Promise<unknown> = Promise.resolve();
  const heartbeat = setInterval(() => {
    const renewals = [hide(message, VISIBILITY_TIMEOUT), mark(id, message.ReceiptHandle!, "working")];
    beat = Promise.all(renewals).catch(logFailure(message));
  }, HEARTBEAT_SECONDS * 1000);
  try {
    await work();
  } finally {
    clearInterval(heartbeat);
    await beat; // or it could overwrite the next mark
  }
}

async function hide(message: Message, seconds: number): Promise<void> {
  const ReceiptHandle = message.ReceiptHandle!;
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: seconds }));
}

// Delete after success, never before; after a failure the message reappears, later each time.
async function handle(message: Message): Promise<void> {
  try {
    await once(message);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle! }));
  } catch (error) {
    logFailure(message)(error);
    const receives = Number(message.Attributes?.ApproximateReceiveCount ?? 1);
    await hide(message, Math.min(VISIBILITY_TIMEOUT * 2 ** (receives - 1), 900)).catch(logFailure(message));
  }
}

// Logs type and message id; the text of an error may quote a transcript.
function logFailure(message: Message): (error: unknown) => void {
  return (error) => console.error("failed", message.MessageId, error instanceof Error ? error.name : typeof error);
}

async function receive(): Promise<Message[]> {
  const answer = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20, // long polling
      VisibilityTimeout: VISIBILITY_TIMEOUT,
      MessageSystemAttributeNames: ["ApproximateReceiveCount"],
    }),
    { abortSignal: stopping.signal },
  );
  return answer.Messages ?? [];
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort());

while (!stopping.signal.aborted) {
  try {
    await Promise.all((await receive()).map(handle)); // running handlers finish before the end
  } catch (error) {
    if (stopping.signal.aborted) break;
    console.error("receiving failed", error instanceof Error ? error.name : typeof error);
    await new Promise((resolve) => setTimeout(resolve, 5000));
  }
}
