/**
 * The schema as a table of steps: `PRAGMA user_version` says how many of them a file has had. A step that has been
 * released is never changed; a new one is added below. Thread: store.
 */
import type { DatabaseSync } from 'node:sqlite';

/** Step i leads from version i to version i + 1. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    sip_call_id TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    ended_by TEXT,
    reason TEXT,
    duration_ms REAL,
    greeting_ms REAL,
    spoken_turns INTEGER,
    rtp_sent INTEGER,
    rtp_received INTEGER,
    rtp_lost INTEGER,
    rtp_late INTEGER,
    rtp_underrun_frames INTEGER,
    ledger TEXT,
    UNIQUE (run, call_id)
  ) STRICT;
  CREATE INDEX calls_by_sip_call_id ON calls (sip_call_id);
  CREATE INDEX calls_by_start ON calls (started_at_ms);

  CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    turn_id INTEGER NOT NULL,
    decided_at_wall_ms INTEGER NOT NULL,
    input TEXT NOT NULL,
    heard TEXT,
    confidence REAL,
    rejected_by TEXT NOT NULL,
    reply TEXT,
    outcome TEXT NOT NULL,
    decided_at_ms REAL NOT NULL,
    speech_end_timestamp INTEGER,
    uplink_ms REAL NOT NULL,
    endpoint_ms REAL NOT NULL,
    endpoint_queue_ms REAL NOT NULL,
    stt_queue_ms REAL NOT NULL,
    stt_ms REAL NOT NULL,
    llm_queue_ms REAL NOT NULL,
    llm_first_token_ms REAL NOT NULL,
    first_sentence_ms REAL NOT NULL,
    tts_queue_ms REAL NOT NULL,
    tts_first_audio_ms REAL NOT NULL,
    playout_ms REAL NOT NULL,
    handover_ms REAL NOT NULL,
    lead_in_ms REAL NOT NULL,
    decision_to_voice_ms REAL NOT NULL,
    voice_to_voice_ms REAL NOT NULL,
    barge_in INTEGER NOT NULL,
    barge_in_decided_at_ms REAL,
    barge_in_to_silence_ms REAL,
    UNIQUE (call, turn_id)
  ) STRICT;
  CREATE INDEX turns_by_time ON turns (decided_at_wall_ms);
  `,
];

/** How many steps the file has had. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}

/**
 * Takes the steps that the file lacks, each wholly or not at all. Two processes may do so at once.
 * @throws the database's error; the file is then as before the step that failed
 */
export function migrate(database: DatabaseSync, steps: readonly string[] = MIGRATIONS): void {
  while (schemaVersion(database) < steps.length) {
    inTransaction(database, () => {
      // Another process may have taken the step while this one waited for the lock.
      const version = schemaVersion(database);
      const step = steps[version];
      if (step === undefined) return;
      database.exec(step);
      database.exec(`PRAGMA user_version = ${version + 1}`);
    });
  }
}

/** Runs `work` between BEGIN IMMEDIATE and COMMIT; rolls back and passes on what it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk ends the transaction by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
