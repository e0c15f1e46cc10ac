/** `doctor`: a finding for everything that can go wrong, and advice for each problem. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../models/test-pack.ts';
import { expectMistake, wildfire } from './wildfire.ts';

const NO_PORTS = ['--set', 'sip.port=0', '--set', 'web.port=0'];

async function findingsOf(
  args: readonly string[],
): Promise<{ exitCode: number | null; findings: Finding[] }> {
  const run = await wildfire(['doctor', '--json', ...args]);
  const document = JSON.parse(run.stdout) as { ok: boolean; findings: Finding[] };
  expect(document.ok).toBe(document.findings.every(({ verdict }) => verdict !== 'problem'));
  expect(run.exitCode).toBe(document.ok ? 0 : 1);
  return { exitCode: run.exitCode, findings: document.findings };
}

describe('doctor', () => {
  it('names a pack that is missing as a problem with its remedy, and goes on looking', async () => {
    const { findings, exitCode } = await findingsOf([...NO_PORTS, '--set', 'models.pack=/no/such/pack']);
    expect(exitCode).toBe(1);
    expect(findings.find(({ name }) => name === 'model pack')).toMatchObject({
      verdict: 'problem',
      advice: expect.stringContaining('/no/such/pack'),
    });
    const names = findings.map(({ name }) => name).join(', ');
    for (const name of [
      'Node.js',
      'CPU',
      'GPU',
      'memory',
      'native addon',
      'SIP port',
      'HTTP port',
      'RTP ports',
      'calls are kept',
      'open files',
      'UDP receive',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('names ports that are too few or taken', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    const settings = [
      'models.pack=/none',
      'web.enabled=false',
      'sip.bindAddress=127.0.0.1',
      `sip.port=${port}`,
    ];
    const few = ['rtp.portFirst=20000', 'rtp.portLast=20009', 'limits.maxCalls=6'];
    const { findings } = await findingsOf([...settings, ...few].flatMap((setting) => ['--set', setting]));
    socket.close();
    const problems = findings.filter(({ verdict }) => verdict === 'problem');
    expect(problems.find(({ name }) => name.startsWith('SIP port'))?.advice).toContain('--set sip.port=N');
    expect(problems.find(({ name }) => name === 'RTP ports')).toMatchObject({
      value: '20000-20009, enough for 5 calls',
      advice: expect.stringContaining('limits.maxCalls is 6'),
    });
    expect(findings.find(({ name }) => name.startsWith('HTTP port'))?.value).toBe('not used');
  });

  it('knows the ports of the Wildfire that is up, and tells another program from it', async () => {
    const own = [
      'agent.mode=echo',
      'sip.bindAddress=127.0.0.1',
      'sip.port=0',
      'web.port=0',
      'log.level=warn',
    ];
    const runtime = await RuntimeProcess.start(own);
    const other = createSocket('udp4').bind(0, '127.0.0.1');
    await once(other, 'listening');
    const ports = async (sipPort: number): Promise<Finding[]> => {
      const settings = ['models.pack=/none', `sip.port=${sipPort}`, `web.port=${runtime.webPort}`];
      const { findings } = await findingsOf(settings.flatMap((setting) => ['--set', setting]));
      return findings.filter(({ name }) => /^(SIP|HTTP) port/.test(name));
    };
    try {
      const inUse = { verdict: 'ok', value: 'in use by the Wildfire that is running', advice: '' };
      // On all addresses, which the runtime's own one keeps anyone from having.
      expect(await ports(runtime.sipPort)).toMatchObject([inUse, inUse]);
      const advice = expect.stringContaining('stop the program that has it');
      expect(await ports(other.address().port)).toMatchObject([{ verdict: 'problem', advice }, inUse]);
    } finally {
      other.close();
      await runtime.stop();
    }
  });

  it('names an address that is not ours', async () => {
    const settings = ['models.pack=/none', 'sip.bindAddress=192.0.2.1', 'web.bindAddress=192.0.2.1'];
    const { findings } = await findingsOf([
      ...NO_PORTS,
      ...settings.flatMap((setting) => ['--set', setting]),
    ]);
    const ports = findings.filter(({ name }) => /^(SIP|HTTP) port/.test(name));
    expect(ports).toMatchObject([
      { verdict: 'problem', advice: expect.stringContaining('sip.bindAddress') },
      { verdict: 'problem', advice: expect.stringContaining('web.bindAddress') },
    ]);
  });

  it('prints one finding a line for a person', async () => {
    const { stdout, exitCode } = await wildfire(['doctor', ...NO_PORTS, '--set', 'models.pack=/none']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ok {6}Node\.js +v24\./m);
    expect(stdout).toMatch(/^PROBLEM {1,2}model pack/m);
  });

  it('refuses a wrong configuration like every command', async () => {
    expectMistake(await wildfire(['doctor', '--set', 'a.b=1']), 2, [/unknown key "a\.b"/]);
  });

  it.skipIf(!hasTestPack('manifest.json'))('tells what the engines really run on', async () => {
    const { findings } = await findingsOf([...NO_PORTS, '--set', `models.pack=${TEST_PACK_FOLDER}`]);
    const findingOf = (name: string): Finding | undefined =>
      findings.find((finding) => finding.name === name);
    expect(findingOf('model pack')).toMatchObject({
      verdict: 'ok',
      value: expect.stringContaining('all files whole'),
    });
    expect(findingOf('speech to text')).toMatchObject({ verdict: 'ok', value: 'ONNX Runtime on cpu' });
    expect(findingOf('language model')?.value).toMatch(/^llama\.cpp on /);
    expect(findingOf('text to speech')).toMatchObject({
      verdict: 'ok',
      value: expect.stringMatching(/^\w+ on cpu, voice \w+$/),
    });
    expect(findingOf('speech detection')).toMatchObject({ verdict: 'ok', value: 'energy on cpu' });
  });

  it.skipIf(!hasTestPack('manifest.json'))(
    'finds the engines with which `start` would not start',
    async () => {
      const settings = [
        `models.pack=${TEST_PACK_FOLDER}`,
        'agent.voice=nobody',
        'vad.model=silero',
        'vad.sileroPath=/no/such/file',
      ];
      const { findings } = await findingsOf([
        ...NO_PORTS,
        ...settings.flatMap((setting) => ['--set', setting]),
      ]);
      const problems = findings.filter(({ value }) => value === 'does not start');
      expect(problems).toMatchObject([
        { name: 'text to speech', verdict: 'problem', advice: expect.stringContaining('no voice "nobody"') },
        { name: 'speech detection', verdict: 'problem', advice: expect.stringContaining('vad.sileroPath') },
      ]);
    },
  );
});
