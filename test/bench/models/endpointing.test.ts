/** Turn-taking measured on the shipped set: the clips are what their labels say, and the play judges by them. */
import { cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measureEndpointing } from '../../../bench/models/endpointing.bench.ts';
import { readTurnClips, type TurnClip } from '../../../bench/models/turn-clips.ts';
import { playTurn } from '../../../bench/models/turn-play.ts';
import { DEFAULT_TURN_CONFIG } from '../../../src/turn/turn-config.ts';

const AGENT = { transcriptAfterMs: 60, replyAfterMs: 200 };
const FOLDER = join(import.meta.dirname, '../../../models/evaluation/turns');
const clips = readTurnClips();

describe('the set', () => {
  it('has every kind of pause and ends each turn where its last word ends', () => {
    const kinds = new Set(clips.flatMap(({ pauses }) => pauses.map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual(['clause', 'digits', 'hesitation', 'slot', 'slowDigits']);
    for (const { turnEndMs, segments, parts, pauses, file } of clips) {
      expect([file, turnEndMs]).toEqual([file, segments.at(-1)?.[1]]);
      expect([parts.length, pauses.length]).toEqual([segments.length, segments.length - 1]);
    }
  });

  it('is loud where the labels say that someone speaks, and much quieter in long pauses of silent lines', () => {
    for (const { samples, segments, pauses, snrDb, file } of clips) {
      const speech = powerDb(samples, segments[0] as [number, number]);
      expect([file, speech > -45]).toEqual([file, true]);
      if (snrDb !== null) continue;
      for (const { startMs, endMs } of pauses.filter((pause) => pause.endMs - pause.startMs >= 250)) {
        expect([file, speech - powerDb(samples, [startMs + 80, endMs - 40]) > 25]).toEqual([file, true]);
      }
    }
  });

  it.each(['index.json', '003.wav'])('a damaged %s is named', (file) => {
    const folder = mkdtempSync(join(tmpdir(), 'wildfire-turns-'));
    cpSync(FOLDER, folder, { recursive: true });
    truncateSync(join(folder, file), 900);
    expect(() => readTurnClips(folder)).toThrow(
      expect.objectContaining({ code: 'MODEL_DAMAGED', message: expect.stringContaining(folder) }),
    );
    writeFileSync(join(folder, 'index.json'), '{}');
    expect(() => readTurnClips(folder)).toThrow(expect.objectContaining({ code: 'MODEL_DAMAGED' }));
    rmSync(folder, { recursive: true });
    expect(() => readTurnClips(folder)).toThrow(expect.objectContaining({ code: 'MODEL_MISSING' }));
  });
});

describe('a played turn', () => {
  it('without pauses is decided once, after its end', async () => {
    for (const clip of clips.filter(({ kind }) => kind === 'complete').slice(0, 5)) {
      const { decidedAtMs, repliedAtMs } = await playTurn(clip.samples, DEFAULT_TURN_CONFIG, AGENT);
      expect(decidedAtMs).toHaveLength(1);
      expect(decidedAtMs[0]).toBeGreaterThan(clip.turnEndMs + 250);
      expect(decidedAtMs[0]).toBeLessThan(clip.turnEndMs + 1000);
      expect(repliedAtMs).toEqual([(decidedAtMs[0] as number) + AGENT.replyAfterMs]);
    }
  });

  it('with a pause of 900 ms is cut off by a hasty policy and heard out by a patient one', async () => {
    const clip = clips.find(longPause) as TurnClip;
    const hasty = await playTurn(clip.samples, DEFAULT_TURN_CONFIG, AGENT);
    expect(hasty.repliedAtMs[0]).toBeLessThan(clip.turnEndMs);
    const patient = await playTurn(clip.samples, patientConfig(1100), AGENT);
    expect(patient.decidedAtMs).toHaveLength(1);
    expect(patient.decidedAtMs[0]).toBeGreaterThan(clip.turnEndMs + 1000);
  });

  it('taken for over a moment before the caller goes on is taken back unheard by a slow agent', async () => {
    const clip = clips.find(longPause) as TurnClip;
    const slow = { transcriptAfterMs: 700, replyAfterMs: 900 };
    const { decidedAtMs, repliedAtMs } = await playTurn(clip.samples, DEFAULT_TURN_CONFIG, slow);
    expect(decidedAtMs[0]).toBeLessThan(clip.turnEndMs);
    expect(repliedAtMs.every((atMs) => atMs > clip.turnEndMs)).toBe(true);
  });
});

describe('the rows', () => {
  it('fewer early cuts and longer delays with more patience', async () => {
    const [hasty, patient] = [await figures(400), await figures(1000)];
    expect(patient.earlyCuts).toBeLessThan(hasty.earlyCuts as number);
    expect(patient.interruptions).toBeLessThanOrEqual(hasty.interruptions as number);
    expect(patient.delay).toBeGreaterThan(hasty.delay as number);
    expect(hasty.unfinished).toBe(0);
  });
});

async function figures(minDelayMs: number): Promise<Record<string, number>> {
  const rows = await measureEndpointing(undefined, patientConfig(minDelayMs));
  return Object.fromEntries(rows.map(({ name, p50 }) => [name.replace('models.endpointing.', ''), p50]));
}

function patientConfig(minDelayMs: number) {
  const { endpointing } = DEFAULT_TURN_CONFIG;
  return { ...DEFAULT_TURN_CONFIG, endpointing: { ...endpointing, minDelayMs } };
}

function longPause({ pauses, snrDb }: TurnClip): boolean {
  return snrDb === null && pauses.length === 1 && pauses.some(({ startMs, endMs }) => endMs - startMs >= 900);
}

function powerDb(samples: Int16Array, [fromMs, toMs]: [number, number]): number {
  const part = samples.subarray(fromMs * 8, toMs * 8);
  const power = part.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / part.length;
  return 10 * Math.log10(power + 1e-12);
}
