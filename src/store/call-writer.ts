/**
 * Writes records of calls and turns into an open database, and deletes old ones. Thread: store.
 * A record may come twice, since a batch is sent again when its answer was lost: the second changes nothing.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CallReport } from '../call/reports.ts';
import { STAGE_COLUMNS, STAGES, TURN_COLUMNS, TURN_FIELDS } from './columns.ts';
import { inTransaction } from './migrations.ts';
import type { KeptTurn, StoreRecord } from './store-messages.ts';

type Value = string | number | null;

export class CallWriter {
  readonly #database: DatabaseSync;
  readonly #startCall: StatementSync;
  readonly #addTurn: StatementSync;
  readonly #endCall: StatementSync;
  readonly #deleteTurns: StatementSync;
  readonly #deleteCalls: StatementSync;

  /** @param database migrated */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#startCall = database.prepare(START_CALL);
    this.#addTurn = database.prepare(ADD_TURN);
    this.#endCall = database.prepare(END_CALL);
    this.#deleteTurns = database.prepare(DELETE_TURNS);
    this.#deleteCalls = database.prepare(DELETE_CALLS);
  }

  /**
   * Writes all of it in one transaction.
   * @param run of the process that the records are of
   * @throws the database's error; then nothing of the batch was written
   */
  write(run: string, records: readonly StoreRecord[]): void {
    inTransaction(this.#database, () => {
      for (const record of records) this.#write(run, record);
    });
  }

  /**
   * Deletes turns that were decided, then calls that began before `cutoffMs` and have no turn left.
   * @param atMost rows of each; one short step, so that writes and questions get their turn
   * @returns whether there may be more
   */
  deleteOlder(cutoffMs: number, atMost: number): boolean {
    return inTransaction(this.#database, () => {
      const turns = this.#deleteTurns.run(Math.floor(cutoffMs), atMost).changes;
      const calls = this.#deleteCalls.run(Math.floor(cutoffMs), atMost).changes;
      return turns === atMost || calls === atMost;
    });
  }

  #write(run: string, record: StoreRecord): void {
    const atMs = Math.round(record.atMs);
    switch (record.kind) {
      case 'callStarted':
        this.#startCall.run(run, record.callId, record.sipCallId, atMs);
        break;
      case 'turn':
        // The record of the start may have been dropped.
        this.#startCall.run(run, record.turn.callId, record.turn.sipCallId, atMs);
        this.#addTurn.run(...turnValues(record.turn), atMs, run, record.turn.callId);
        break;
      case 'callEnded': {
        const { call } = record;
        this.#startCall.run(run, call.callId, call.sipCallId, Math.round(record.atMs - call.durationMs));
        this.#endCall.run(atMs, ...endValues(call), run, call.callId);
        break;
      }
    }
  }
}

const COLUMNS = [...TURN_FIELDS.map((field) => TURN_COLUMNS[field]), ...STAGES.map((s) => STAGE_COLUMNS[s])];

const START_CALL = `INSERT INTO calls (run, call_id, sip_call_id, started_at_ms) VALUES (?, ?, ?, ?)
  ON CONFLICT (run, call_id) DO NOTHING`;

const ADD_TURN = `INSERT INTO turns (${COLUMNS.join(', ')}, decided_at_wall_ms, call)
  VALUES (${COLUMNS.map(() => '?').join(', ')}, ?, (SELECT id FROM calls WHERE run = ? AND call_id = ?))
  ON CONFLICT (call, turn_id) DO NOTHING`;

const END_CALL = `UPDATE calls SET ended_at_ms = ?, ended_by = ?, reason = ?, duration_ms = ?, greeting_ms = ?,
  spoken_turns = ?, rtp_sent = ?, rtp_received = ?, rtp_lost = ?, rtp_late = ?, rtp_underrun_frames = ?, ledger = ?
  WHERE run = ? AND call_id = ?`;

const DELETE_TURNS =
  'DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE decided_at_wall_ms < ? LIMIT ?)';

const DELETE_CALLS = `DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE started_at_ms < ?
  AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.call = calls.id) LIMIT ?)`;

function turnValues(turn: KeptTurn): Value[] {
  const { stagesMs } = turn;
  const plain = TURN_FIELDS.map((field) => {
    const value = turn[field];
    return typeof value === 'boolean' ? Number(value) : value;
  });
  return [...plain, ...STAGES.map((stage) => stagesMs[stage])];
}

function endValues({ endedBy, reason, durationMs, greetingMs, turns, rtp, ledger }: CallReport): Value[] {
  const { sent, received, lost, late, underrunFrames } = rtp;
  const media = [sent, received, lost, late, underrunFrames];
  return [endedBy, reason, durationMs, greetingMs, turns, ...media, JSON.stringify(ledger)];
}
