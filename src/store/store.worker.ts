/**
 * The store's thread: SQLite blocks whoever calls it, so it has a thread of its own. Takes batches and questions from
 * StoreClient, answers each once, and deletes old rows in small steps in between. Thread: store.
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { toWireError } from '../errors.ts';
import { StoreFile } from './store-file.ts';
import type { StoreFault, StoreRecord, StoreReply, StoreRequest, StoreThreadData } from './store-messages.ts';

/** Behind SIP and media, before inference, which would leave it nothing on a busy box. */
const NICE_VALUE = 5;
const MS_PER_DAY = 86_400_000;
const RETENTION_STEP_ROWS = 200;
/** While there is more to delete. */
const RETENTION_STEP_MS = 200;
const RETENTION_IDLE_MS = 600_000;

const { path, run, retentionDays, busyTimeoutMs, mustOpen, allowFaults } = workerData as StoreThreadData;
const port = parentPort!;
const file = new StoreFile({ path, run, busyTimeoutMs });
let retention: NodeJS.Timeout | undefined;
let isDyingAfterCommit = false;

function post(reply: StoreReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

function write(records: readonly StoreRecord[]): void {
  try {
    const refused = file.write(records);
    if (isDyingAfterCommit) process.exit(1);
    post({ kind: 'written', refused });
  } catch (error) {
    post({ kind: 'notWritten', error: toWireError(error, 'STORE_UNAVAILABLE') });
  }
}

function read({ requestId, query }: Extract<StoreRequest, { kind: 'read' }>): void {
  try {
    const document = file.answer(query);
    if (document === null) return post({ kind: 'answer', requestId, json: null });
    const json = new TextEncoder().encode(JSON.stringify(document));
    post({ kind: 'answer', requestId, json }, [json.buffer]);
  } catch (error) {
    post({ kind: 'noAnswer', requestId, error: toWireError(error, 'STORE_UNAVAILABLE') });
  }
}

function deleteOld(): void {
  let hasMore = false;
  try {
    hasMore = file.deleteOlder(Date.now() - retentionDays * MS_PER_DAY, RETENTION_STEP_ROWS);
  } catch {
    // A file that cannot be written is told by the next batch, and deleting can wait.
  }
  retention = setTimeout(deleteOld, hasMore ? RETENTION_STEP_MS : RETENTION_IDLE_MS);
}

function die(fault: StoreFault): void {
  if (!allowFaults) return;
  if (fault === 'now') process.exit(1);
  isDyingAfterCommit = true;
}

function close(): void {
  clearTimeout(retention);
  try {
    file.close();
  } catch {
    // What was committed is in the WAL, and the next to open the file takes it from there.
  }
  port.close();
}

function onRequest(request: StoreRequest): void {
  if (request.kind === 'write') write(request.records);
  else if (request.kind === 'read') read(request);
  else if (request.kind === 'die') die(request.fault);
  else close();
}

function start(): void {
  try {
    if (mustOpen) file.open();
  } catch (error) {
    return post({ kind: 'notOpened', error: toWireError(error, 'STORE_UNAVAILABLE') });
  }
  port.on('message', onRequest);
  post({ kind: 'ready' });
  if (retentionDays > 0) retention = setTimeout(deleteOld, RETENTION_STEP_MS);
}

try {
  setPriority(0, NICE_VALUE);
} catch {
  // Not allowed to: it goes on with the priority that it was born with.
}
start();
