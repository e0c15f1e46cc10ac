/** The shipped demo, run as a newcomer runs it: real SIP and RTP, the shipped models, every goal met. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseWav } from '../../src/audio/wav.ts';
import { emptyCounts } from '../../src/call/ledger.ts';
import type { CallResult, TurnResult } from '../../src/caller/call-result.ts';
import { packFolderOf, SHIPPED_PACK } from '../../src/models/pack-folders.ts';
import { type Finished, wildfire } from '../cli/wildfire.ts';

const DEMO_TIMEOUT_MS = 280_000;
const MIN_TURNS = 6;
const MAX_BARGE_IN_TO_SILENCE_MS = 60;
/** Messages between threads, and the network. */
const SLACK_MS = 60;
/** A reply may begin with silence or a soft sound: sent, but not yet heard as a voice. */
const QUIET_START_MS = 250;

const isShipped = existsSync(join(packFolderOf(SHIPPED_PACK), 'manifest.json'));
if (!isShipped) console.log('skipped: the demo needs models/embedded, which is not there yet');

describe.skipIf(!isShipped)('the demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-demo-'));
  let run: Finished;
  let call: CallResult;

  beforeAll(async () => {
    run = await wildfire(['demo', '--json', '--out', folder], { timeoutMs: DEMO_TIMEOUT_MS });
    const document = JSON.parse(run.stdout) as { ok: boolean; calls: CallResult[] };
    expect(document.calls).toHaveLength(1);
    call = document.calls[0] as CallResult;
  }, DEMO_TIMEOUT_MS + 10_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('exits 0, all goals met, neither side gave up', () => {
    const missed = call.turns.filter(({ goalMet }) => !goalMet);
    expect(missed, run.stderr).toEqual([]);
    expect(JSON.parse(run.stdout)).toMatchObject({ ok: true });
    expect(run.exitCode).toBe(0);
    expect(call.goalsMet).toBe(true);
    expect(['caller', 'agent']).toContain(call.endedBy);
    expect(call.greeting).not.toBe('');
  });

  it(`has at least ${MIN_TURNS} turns, each answered aloud`, () => {
    expect(call.turns.length).toBeGreaterThanOrEqual(MIN_TURNS);
    for (const turn of call.turns) {
      expect(turn.heard, turn.said).not.toBe('');
      expect(turn.voiceToVoiceMs, turn.said).toBeGreaterThan(0);
      expect(turn.decisionToVoiceMs, turn.said).toBeGreaterThan(0);
      expect(turn.decisionToVoiceMs, turn.said).toBeLessThanOrEqual(turn.voiceToVoiceMs);
    }
  });

  it('has stages that explain the time between the decision and the voice', () => {
    for (const { said, stagesMs, decisionToVoiceMs } of call.turns) {
      const { uplink: _held, endpoint, endpointQueue: _late, ...afterDecision } = stagesMs;
      expect(endpoint, said).toBeGreaterThanOrEqual(0);
      expect(Math.min(...Object.values(stagesMs)), said).toBeGreaterThanOrEqual(0);
      const explainedMs = Object.values(afterDecision).reduce((sum, ms) => sum + ms, 0);
      const unexplainedMs = decisionToVoiceMs - explainedMs;
      expect(unexplainedMs, `${said} ${JSON.stringify(stagesMs)}`).toBeGreaterThan(-SLACK_MS);
      expect(unexplainedMs, `${said} ${JSON.stringify(stagesMs)}`).toBeLessThan(QUIET_START_MS + SLACK_MS);
    }
  });

  it('has a barge-in that silences the agent in time', () => {
    const bargeIns = call.turns.filter(({ bargeIn }) => bargeIn);
    expect(bargeIns.length).toBeGreaterThanOrEqual(1);
    for (const { bargeInToSilenceMs } of bargeIns) {
      expect(bargeInToSilenceMs).not.toBeNull();
      expect(bargeInToSilenceMs).toBeLessThanOrEqual(MAX_BARGE_IN_TO_SILENCE_MS);
    }
  });

  it('has a turn of keys', () => {
    const keyed = call.turns.filter(isKeyed);
    expect(keyed.length).toBeGreaterThanOrEqual(1);
    expect(keyed[0]).toMatchObject({ goalMet: true, stagesMs: { stt: 0 } });
  });

  it('has no underrun, no loss, and leaves nothing behind', () => {
    expect(call.rtp).toMatchObject({ underrunFrames: 0, lost: 0 });
    expect(call.rtp.received).toBeGreaterThan(500);
    expect(call.ledger).toEqual(emptyCounts());
  });

  it('writes a stereo recording, the timeline and a page', () => {
    const audio = parseWav(readFileSync(join(folder, 'call.wav')));
    expect([audio.rateHz, audio.channels.length]).toEqual([8000, 2]);
    for (const channel of audio.channels)
      expect(channel.some((sample) => Math.abs(sample) > 1000)).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, 'timeline.json'), 'utf8'))).toEqual(call);
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('<!doctype html>');
  });
});

function isKeyed({ said }: TurnResult): boolean {
  return /^[0-9*#A-D]+$/.test(said);
}
