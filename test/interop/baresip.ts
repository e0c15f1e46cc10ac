/** baresip as the caller: plays a WAV into the call, records what it hears and hangs up when told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mixToMono, parseWav, writeWav } from '../../src/audio/wav.ts';
import { freeBlock } from '../free-ports.ts';

const MODULES_FOLDER = '/usr/lib/baresip/modules';
/** Of a block: SIP and, one above, its TLS; control; RTP and RTCP, of which it tries one pair after another. */
const CONTROL_PORT = 2;
const FIRST_RTP_PORT = 4;
const PORTS = 40;
const RATE_HZ = 8000;
/** baresip hangs up at the end of its file, so silence follows the sentence. */
const PADDING_MS = 60_000;

/** baresip 1.0 places no call from a machine that has only a loopback address; says so when that is the case. */
export function hasAddressForBaresip(): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const isThere = addresses.some(({ family, internal }) => family === 'IPv4' && !internal);
  if (!isThere) console.log('skipped: baresip needs an IPv4 address besides loopback');
  return isThere;
}

export interface BaresipCall {
  readonly wav: string;
  /** Silence before the sentence, so that the greeting is not talked over. */
  readonly waitMs: number;
  /** How long the call lasts after it was dialled. */
  readonly callMs: number;
  readonly sipPort: number;
}

/** Holds one call. @returns what baresip heard, 8 kHz, and its log */
export async function callWithBaresip(call: BaresipCall): Promise<{ heard: Int16Array; log: string }> {
  const firstPort = await freeBlock(PORTS);
  const folder = writeSetUp(call, firstPort);
  const child = spawn('baresip', ['-f', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = collectLog(child);
  try {
    await control(child, firstPort + CONTROL_PORT, async (command) => {
      await command('dial', `sip:wildfire@127.0.0.1:${call.sipPort}`);
      await delay(call.callMs);
      await command('hangup', '');
      await delay(500);
      await command('quit', '');
    });
    await new Promise((resolve) => child.once('exit', resolve));
  } catch (error) {
    throw new Error(`${String(error)}; it said:\n${log()}`);
  } finally {
    child.kill('SIGKILL');
  }
  return { heard: readRecording(folder), log: log() };
}

function writeSetUp(call: BaresipCall, firstPort: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-baresip-'));
  const prompt = join(folder, 'prompt.wav');
  writeFileSync(prompt, padded(call));
  writeFileSync(
    join(folder, 'config'),
    [
      `sip_listen 127.0.0.1:${firstPort}`,
      'poll_method epoll',
      `audio_source aufile,${prompt}`,
      'audio_player aubridge,wildfire',
      'audio_alert aubridge,wildfire',
      'audio_srate 8000-8000',
      'audio_channels 1-1',
      `rtp_ports ${firstPort + FIRST_RTP_PORT}-${firstPort + PORTS - 1}`,
      'rtcp_mux no',
      'jitter_buffer_delay 1-10',
      `module_path ${MODULES_FOLDER}`,
      ...['g711.so', 'aufile.so', 'aubridge.so', 'sndfile.so', 'uuid.so'].map((name) => `module ${name}`),
      ...['account.so', 'contact.so', 'menu.so', 'ctrl_tcp.so'].map((name) => `module_app ${name}`),
      `ctrl_tcp_listen 127.0.0.1:${firstPort + CONTROL_PORT}`,
      `snd_path ${folder}`,
      '',
    ].join('\n'),
  );
  const account = `<sip:baresip@127.0.0.1:${firstPort}>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1\n`;
  writeFileSync(join(folder, 'accounts'), account);
  writeFileSync(join(folder, 'contacts'), '');
  return folder;
}

function padded(call: BaresipCall): Uint8Array {
  const speech = mixToMono(parseWav(readFileSync(call.wav)));
  const samples = new Int16Array(((call.waitMs + PADDING_MS) * RATE_HZ) / 1000 + speech.length);
  samples.set(speech, (call.waitMs * RATE_HZ) / 1000);
  return writeWav({ rateHz: RATE_HZ, channels: [samples] });
}

function collectLog(child: ChildProcess): () => string {
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      log += bytes;
    });
  }
  return () => log;
}

/** Speaks to ctrl_tcp: JSON in netstrings. */
async function control(
  child: ChildProcess,
  port: number,
  script: (command: (name: string, params: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const socket = await connected(child, port);
  await script(async (name, params) => {
    const json = JSON.stringify({ command: name, params, token: 'test' });
    socket.write(`${Buffer.byteLength(json)}:${json},`);
  });
  socket.destroy();
}

async function connected(child: ChildProcess, port: number): Promise<ReturnType<typeof connect>> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (isUp) return socket;
    if (child.exitCode !== null) throw new Error(`baresip ended with exit code ${child.exitCode}`);
    if (attempt === 50) throw new Error('baresip does not listen on its control port');
    await delay(100);
  }
}

function readRecording(folder: string): Int16Array {
  const file = readdirSync(folder).find((name) => name.startsWith('dump-') && name.endsWith('-dec.wav'));
  if (file === undefined) throw new Error(`baresip recorded nothing: ${readdirSync(folder).join(' ')}`);
  return mixToMono(parseWav(readFileSync(join(folder, file))));
}
