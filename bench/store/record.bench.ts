/**
 * store.turn: what keeping a turn costs the main thread: making the record, the queue and the message to the store's
 * thread, in the worst case (each turn its own message, as on a quiet box) and ten to a message. Peer: the same rows
 * written by node:sqlite on the main thread, with the same durability (WAL, synchronous=NORMAL), in the same run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { NO_STAGES, type TurnReport } from '../../src/call/reports.ts';
import { monotonicMs } from '../../src/observability/clock.ts';
import { CallWriter } from '../../src/store/call-writer.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { StoreClient } from '../../src/store/store-client.ts';
import type { BenchResult, BenchRow } from '../bench-row.ts';
import { quantiles } from '../bench-row.ts';
import { taskRows } from '../tinybench-rows.ts';

const MEASURED_MS = 1000;
const TURNS_OF_MESSAGE = 10;
const PEER = 'node:sqlite on main';
const BUSY_TIMEOUT_MS = 1000;

let turnId = 0;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-bench-store-'));
  const faults: string[] = [];
  const silent = (): void => {};
  const store = await StoreClient.start({
    path: join(folder, 'thread.db'),
    retentionDays: 0,
    keepText: false,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    count: (_, reason) => void faults.push(reason),
    onWritten: silent,
  });
  const database = openDatabase(join(folder, 'main.db'), { busyTimeoutMs: BUSY_TIMEOUT_MS });
  const bench = benchOf(store, new CallWriter(database));
  await bench.run();
  await store.close();
  database.close();
  rmSync(folder, { recursive: true });
  if (faults.length > 0) throw new Error(`the store did not keep all: ${faults.join(', ')}`);
  return {
    rows: [...rowsOf(bench, 'store.turn', 1), ...rowsOf(bench, 'store.turn.tenAtOnce', TURNS_OF_MESSAGE)],
  };
}

/** The store's thread has finished before each sample: it shares the caches with main, not the time. */
function benchOf(store: StoreClient, writer: CallWriter): Bench {
  const settled = { beforeEach: () => store.written() };
  const bench = new Bench({ time: MEASURED_MS, warmupTime: 300, retainSamples: true });
  for (const [name, turns] of [
    ['store.turn', 1],
    ['store.turn.tenAtOnce', TURNS_OF_MESSAGE],
  ] as const) {
    bench.add(
      name,
      () => {
        for (let turn = 0; turn < turns; turn++) store.keepTurn(report());
        store.flush();
      },
      settled,
    );
    bench.add(peerOf(name), () => {
      for (let turn = 0; turn < turns; turn++) writeOnMain(writer);
    });
  }
  return bench;
}

function writeOnMain(writer: CallWriter): void {
  const turn = report();
  const atMs = Date.now() - (monotonicMs() - turn.decidedAtMs);
  writer.write('aa', [{ kind: 'turn', atMs, turn: { ...turn, heard: null, reply: null } }]);
}

function rowsOf(bench: Bench, name: string, perRun: number): BenchRow[] {
  const { p95, p99 } = peerQuantiles(bench, name, perRun);
  return taskRows(bench, { name, unit: 'us', perRun, peers: { [PEER]: peerOf(name) } }).map((row) => ({
    ...row,
    baselineP95: p95,
    baselineP99: p99,
  }));
}

function peerQuantiles(bench: Bench, name: string, perRun: number): BenchRow {
  const [row] = taskRows(bench, { name: peerOf(name), unit: 'us', perRun });
  return row ?? quantiles(name, 'us', []);
}

function peerOf(name: string): string {
  return `${name} on main`;
}

function report(): TurnReport {
  turnId += 1;
  return {
    callId: 1 + (turnId % 40),
    sipCallId: 'a84b4c76e66710@192.0.2.1',
    turnId,
    input: 'speech',
    heard: 'I would like to book a table for four people on Friday at seven',
    confidence: 0.93,
    rejectedBy: 'none',
    reply: 'A table for four on Friday at seven. May I have your name, please?',
    outcome: 'replied',
    decidedAtMs: monotonicMs(),
    speechEndTimestamp: 123_456,
    stagesMs: { ...NO_STAGES, endpoint: 240.5, stt: 31.25, llmFirstToken: 18.75, ttsFirstAudio: 22.5 },
    decisionToVoiceMs: 101.5,
    voiceToVoiceMs: 342,
    bargeIn: false,
    bargeInDecidedAtMs: null,
    bargeInToSilenceMs: null,
  };
}
