/** `start` and `demo` where something that they need is missing (exit code 3) or is not ours (2): one line that says what to do. */
import { createSocket, type Socket } from 'node:dgram';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { writeScratchPack } from '../models/scratch-pack.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../models/test-pack.ts';
import { expectMistake, wildfire } from './wildfire.ts';

const USAGE = 2;
const MISSING = 3;
const LOOPBACK = '127.0.0.1';

const scratchPack = writeScratchPack();
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(() => {
  rmSync(scratchPack, { recursive: true });
});

function startArgs(pack: string, ...settings: readonly string[]): string[] {
  const own = [`sip.bindAddress=${LOOPBACK}`, 'sip.port=0', 'web.port=0', `models.pack=${pack}`];
  return ['start', ...[...own, ...settings].flatMap((setting) => ['--set', setting])];
}

function takenUdpPort(): Promise<number> {
  const socket: Socket = createSocket('udp4');
  closers.push(() => socket.close());
  return new Promise((resolve) => socket.bind(0, LOOPBACK, () => resolve(socket.address().port)));
}

function takenTcpPort(): Promise<number> {
  const server: Server = createServer();
  closers.push(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, LOOPBACK, () => resolve((server.address() as { port: number }).port));
  });
}

describe('a port that is in use', () => {
  it('SIP', async () => {
    const port = await takenUdpPort();
    const run = await wildfire(startArgs(scratchPack, `sip.port=${port}`));
    expectMistake(run, MISSING, [new RegExp(`${LOOPBACK}:${port}`), /in use/]);
  });

  it('HTTP', async () => {
    const port = await takenTcpPort();
    const run = await wildfire(startArgs(scratchPack, `web.port=${port}`));
    expectMistake(run, MISSING, [new RegExp(`${LOOPBACK}:${port} is in use`), /web\.port/]);
  });
});

describe('an address that is not ours', () => {
  it.each([
    ['sip', 'SIP'],
    ['web', 'HTTP'],
  ])('%s.bindAddress', async (section, protocol) => {
    const run = await wildfire(startArgs(scratchPack, `${section}.bindAddress=192.0.2.1`));
    expectMistake(run, USAGE, [new RegExp(`cannot listen for ${protocol} on 192\\.0\\.2\\.1:0`)]);
  });
});

describe.skipIf(!hasTestPack('manifest.json'))('an address of the control plane that is not ours', () => {
  it.each([
    ['whisper', ['whisperPort']],
    ['llama', ['llamaPort']],
    ['tts', ['ttsPort', 'ttsRegisterPort']],
  ])('of %s', { timeout: 60_000 }, async (role, keys) => {
    const ports = keys.map((key) => `control.${key}=0`);
    const address = ['control.bindAddress=192.0.2.1', 'control.allow=192.0.2.0/24'];
    const secret = 'control.secret=0123456789abcdef0123456789abcdef';
    const args = startArgs(TEST_PACK_FOLDER, ...ports, ...address, secret);
    const run = await wildfire([...args, '--roles', role]);
    expectMistake(run, USAGE, [/cannot listen on .*192\.0\.2\.1:0/, /control\.bindAddress/]);
  });
});

describe.skipIf(!hasTestPack('manifest.json'))('a control port that is in use', { timeout: 60_000 }, () => {
  it.each([
    ['whisperPort', 'whisper', takenUdpPort],
    ['ttsPort', 'tts', takenTcpPort],
  ])('%s', async (key, role, takenPort) => {
    const port = await takenPort();
    const args = startArgs(TEST_PACK_FOLDER, 'control.ttsRegisterPort=0', `control.${key}=${port}`);
    const run = await wildfire([...args, '--roles', role]);
    expectMistake(run, MISSING, [new RegExp(`${LOOPBACK}:${port} .*in use`), new RegExp(`control\\.${key}`)]);
  });
});

describe('a pack', () => {
  it('that is not there', async () => {
    const run = await wildfire(startArgs('/no/such/pack'));
    expectMistake(run, MISSING, [/manifest\.json/, /\/no\/such\/pack/, /repair it with \S+/]);
  });

  it('of the callers that has none, for demo', async () => {
    const run = await wildfire(['demo', '--set', `models.callerPack=${scratchPack}`]);
    expectMistake(run, MISSING, [/pack "scratch" has no callers/, /--script FILE/, /models\.callerPack/]);
  });

  it('of the callers that has none, for stress', async () => {
    const run = await wildfire(['stress', '--set', `models.callerPack=${scratchPack}`]);
    expectMistake(run, MISSING, [/pack "scratch" has no grammar for callers/, /models\.callerPack/]);
  });

  it('without callers is called by those of another one, for stress', { timeout: 100_000 }, async () => {
    const run = await wildfire(['stress', '--set', `models.pack=${scratchPack}`], { timeoutMs: 90_000 });
    expectMistake(run, MISSING, [/starting the runtime/, /whisper worker did not start/]);
  });

  it.each(['demo', 'stress'])('that is not there, for %s, before any model is loaded', async (command) => {
    const run = await wildfire([command, '--set', 'models.pack=/no/such/pack']);
    expectMistake(run, MISSING, [/manifest\.json/, /\/no\/such\/pack/]);
    expect(run.stderr).not.toContain('starting');
  });

  it('with whole files that are no models', async () => {
    const run = await wildfire(startArgs(scratchPack));
    expectMistake(run, MISSING, [/wildfire: whisper worker did not start/]);
  });

  it('with whole files that are no models, for demo', async () => {
    const script = join(scratchPack, 'script.json');
    writeFileSync(script, '{"name":"x","steps":[{"goal":"g","say":"s"}]}');
    const packs = ['pack', 'callerPack'].flatMap((key) => ['--set', `models.${key}=${scratchPack}`]);
    const run = await wildfire(['demo', '--script', script, ...packs]);
    expectMistake(run, MISSING, [/did not start/]);
  });
});

describe.skipIf(!hasTestPack('manifest.json'))('a damaged file of a real pack', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-damaged-'));
  cpSync(TEST_PACK_FOLDER, folder, { recursive: true });
  const { name, files } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    name: string;
    files: { path: string }[];
  };

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const damages: [string, (path: string) => void, RegExp][] = [
    ['cut short', (path) => truncateSync(path, 1000), /has the wrong size/],
    ['with one byte changed', flipByte, /is damaged/],
    ['deleted', unlinkSync, /is missing/],
  ];
  const cases = damages.flatMap(([damage, damageFile, word]) =>
    files
      .filter(({ path }) => /\.(onnx|gguf)$/.test(path))
      .map(({ path }) => ({ path, damage, damageFile, word })),
  );

  it.each(cases)('$path $damage', async ({ path, damageFile, word }) => {
    const file = join(folder, path);
    const whole = readFileSync(file);
    damageFile(file);
    const run = await wildfire(startArgs(folder));
    writeFileSync(file, whole);
    expectMistake(run, MISSING, [
      word,
      new RegExp(path.replaceAll('.', '\\.')),
      new RegExp(`model pack '${name}'`),
      /repair it with (copying it again .* \.\/wildfire doctor|git checkout) /,
    ]);
  });
});

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
