/** sipp as the caller: plays a sentence as RTP in every call and counts what completed. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeUlaw } from '../../src/audio/g711.ts';
import { mixToMono, parseWav } from '../../src/audio/wav.ts';
import { freeBlock } from '../free-ports.ts';
import { runProgram } from './peer-programs.ts';

/** Of a block: SIP, and RTP and RTCP, of which it tries one pair after another. */
const FIRST_RTP_PORT = 2;
const PORTS = 240;

export interface SippLoad {
  readonly sipPort: number;
  readonly calls: number;
  readonly concurrent: number;
  /** How long each call talks and listens. */
  readonly talkMs: number;
  /** Percent of SIP messages that sipp loses in each direction. */
  readonly lostPercent?: number;
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly output: string;
}

/** Runs the load to its end. */
export async function runSipp(load: SippLoad): Promise<SippResult> {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-sipp-'));
  const scenario = writeScenario(folder, load.talkMs);
  const statistics = join(folder, 'statistics.csv');
  const args = [
    '-sf',
    scenario,
    `127.0.0.1:${load.sipPort}`,
    '-s',
    'wildfire',
    '-i',
    '127.0.0.1',
    '-mi',
    '127.0.0.1',
  ];
  args.push(
    '-m',
    String(load.calls),
    '-l',
    String(load.concurrent),
    '-r',
    String(Math.max(1, load.concurrent)),
  );
  args.push('-nostdin', '-recv_timeout', '40000', '-trace_stat', '-stf', statistics, '-fd', '1');
  const port = await freeBlock(PORTS);
  args.push('-p', String(port), '-mp', String(port + FIRST_RTP_PORT));
  if (load.lostPercent !== undefined) args.push('-lost', String(load.lostPercent));
  const rounds = Math.ceil(load.calls / load.concurrent);
  const { output } = await runProgram('sipp', args, {
    timeoutMs: rounds * (load.talkMs + 3000) + 120_000,
    cwd: folder,
  });
  if (!existsSync(statistics)) throw new Error(`sipp did not run: ${output}`);
  return { ...readStatistics(statistics), output };
}

function writeScenario(folder: string, talkMs: number): string {
  const audioFile = join(folder, 'sentence.ul');
  writeFileSync(audioFile, ulawOf(new URL('../fixtures/utterances/opening-hours.wav', import.meta.url)));
  const template = readFileSync(new URL('./scenarios/talk.xml', import.meta.url), 'utf8');
  const path = join(folder, 'talk.xml');
  writeFileSync(path, template.replace('@AUDIO_FILE@', audioFile).replace('@TALK_MS@', String(talkMs)));
  return path;
}

function ulawOf(wav: URL): Uint8Array {
  const audio = parseWav(readFileSync(fileURLToPath(wav)));
  if (audio.rateHz !== 8000) throw new Error('the sentence must be at 8 kHz');
  const samples = mixToMono(audio);
  const bytes = new Uint8Array(samples.length);
  encodeUlaw(samples, bytes, samples.length);
  return bytes;
}

/** The last line of sipp's statistics: cumulative counts. */
function readStatistics(file: string): { successful: number; failed: number } {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const names = (lines[0] ?? '').split(';');
  const values = (lines.at(-1) ?? '').split(';');
  const cumulative = (name: string): number => Number(values[names.indexOf(name)] ?? 0);
  return { successful: cumulative('SuccessfulCall(C)'), failed: cumulative('FailedCall(C)') };
}
