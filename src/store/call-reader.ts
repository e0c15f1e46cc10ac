/**
 * Answers questions about kept calls and turns from an open database, as the documents of the API (docs/cli.md).
 * Thread: store. Every value from outside is bound, never part of SQL.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { STAGE_COLUMNS, STAGES, TURN_COLUMNS, TURN_FIELDS } from './columns.ts';
import { MAX_PAGE, type Page, type StoreQuery } from './store-messages.ts';

/** A call has fewer, unless it is about to be the longest ever; the rest is at /api/turns?call=. */
export const MAX_TURNS_OF_CALL = 1000;

type Row = Record<string, SQLOutputValue>;

export class CallReader {
  readonly #calls: StatementSync;
  readonly #turns: StatementSync;
  readonly #turnsOfCall: StatementSync;
  readonly #wholeCall: StatementSync;
  readonly #call: StatementSync;
  readonly #byId: StatementSync;
  readonly #bySipCallId: StatementSync;

  /** @param database migrated */
  constructor(database: DatabaseSync) {
    this.#calls = database.prepare(`${CALL_ROWS} WHERE c.id < ? ORDER BY c.id DESC LIMIT ?`);
    this.#turns = database.prepare(`${TURN_ROWS} WHERE t.id < ? ORDER BY t.id DESC LIMIT ?`);
    this.#turnsOfCall = database.prepare(
      `${TURN_ROWS} WHERE t.call = ? AND t.id < ? ORDER BY t.id DESC LIMIT ?`,
    );
    this.#wholeCall = database.prepare(`${TURN_ROWS} WHERE t.call = ? ORDER BY t.turn_id LIMIT ?`);
    this.#call = database.prepare(`${CALL_ROWS} WHERE c.id = ?`);
    this.#byId = database.prepare('SELECT id FROM calls WHERE run = ? AND call_id = ?');
    this.#bySipCallId = database.prepare('SELECT max(id) AS id FROM calls WHERE sip_call_id = ?');
  }

  /**
   * The document that answers a question, as plain data.
   * @returns null when a call is named that there is not
   * @throws the database's error
   */
  answer(query: StoreQuery): object | null {
    if (query.kind === 'calls') {
      const { rows, next } = pageOf(this.#calls.all(cursorOf(query), limitOf(query) + 1), query);
      return { calls: rows.map(callOf), next };
    }
    const call = query.call === null ? null : this.#rowIdOf(query.call);
    if (query.call !== null && call === null) return null;
    if (query.kind === 'call') return this.#whole(call);
    const [before, atMost] = [cursorOf(query), limitOf(query) + 1];
    const found =
      call === null ? this.#turns.all(before, atMost) : this.#turnsOfCall.all(call, before, atMost);
    const { rows, next } = pageOf(found, query);
    return { turns: rows.map(turnOf), next };
  }

  #whole(call: SQLOutputValue): object | null {
    const row = this.#call.get(call);
    if (row === undefined) return null;
    const rows = this.#wholeCall.all(call, MAX_TURNS_OF_CALL + 1);
    const turns = rows.slice(0, MAX_TURNS_OF_CALL).map(turnOf);
    return { call: callOf(row), turns, isWhole: turns.length === rows.length };
  }

  #rowIdOf(name: string): SQLOutputValue {
    const [, run, callId] = /^([0-9a-f]+)-(\d{1,15})$/.exec(name) ?? [];
    const byId = run === undefined ? undefined : this.#byId.get(run, Number(callId));
    return byId?.id ?? this.#bySipCallId.get(name)?.id ?? null;
  }
}

const CALL_ROWS = 'SELECT c.*, (SELECT count(*) FROM turns t WHERE t.call = c.id) AS turns FROM calls c';
const TURN_ROWS = 'SELECT t.*, c.run, c.call_id, c.sip_call_id FROM turns t JOIN calls c ON c.id = t.call';

function cursorOf({ before }: Page): number {
  return before ?? Number.MAX_SAFE_INTEGER;
}

function limitOf({ limit }: Page): number {
  return Math.min(limit, MAX_PAGE);
}

/** The rows of a page and the cursor of the next one; null behind the last. @param found one more, if there is one */
function pageOf(found: readonly Row[], page: Page): { rows: readonly Row[]; next: SQLOutputValue } {
  const rows = found.slice(0, limitOf(page));
  return { rows, next: rows.length === found.length ? null : (rows.at(-1)?.id ?? null) };
}

function callOf(row: Row): object {
  return {
    ...namesOf(row),
    startedAt: isoOf(row.started_at_ms),
    endedAt: isoOf(row.ended_at_ms),
    endedBy: row.ended_by,
    reason: row.reason,
    durationMs: row.duration_ms,
    greetingMs: row.greeting_ms,
    turns: row.turns,
    spokenTurns: row.spoken_turns,
    rtp: row.ended_at_ms === null ? null : rtpOf(row),
    ledger: typeof row.ledger === 'string' ? JSON.parse(row.ledger) : null,
  };
}

function rtpOf(row: Row): object {
  return {
    sent: row.rtp_sent,
    received: row.rtp_received,
    lost: row.rtp_lost,
    late: row.rtp_late,
    underrunFrames: row.rtp_underrun_frames,
  };
}

function turnOf(row: Row): object {
  const plain = TURN_FIELDS.map((field) => [field, row[TURN_COLUMNS[field]]]);
  return {
    ...namesOf(row),
    decidedAt: isoOf(row.decided_at_wall_ms),
    ...Object.fromEntries(plain),
    bargeIn: row.barge_in === 1,
    stagesMs: Object.fromEntries(STAGES.map((stage) => [stage, row[STAGE_COLUMNS[stage]]])),
  };
}

function namesOf(row: Row): object {
  return { id: `${row.run}-${row.call_id}`, callId: row.call_id, sipCallId: row.sip_call_id };
}

function isoOf(wallMs: SQLOutputValue | undefined): string | null {
  return typeof wallMs === 'number' ? new Date(wallMs).toISOString() : null;
}
