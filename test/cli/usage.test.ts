/** What a user gets who asks for help, mistypes, or configures wrongly. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { CONFIG_KEYS, DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { writeScratchPack } from '../models/scratch-pack.ts';
import { expectMistake, wildfire } from './wildfire.ts';

const USAGE = 2;
const COMMANDS = [
  ['start'],
  ['demo'],
  ['call'],
  ['stress'],
  ['bench'],
  ['models'],
  ['models', 'list'],
  ['models', 'verify'],
  ['models', 'path'],
  ['doctor'],
  ['check'],
  ['gpu'],
  ['gpu', 'install'],
  ['test'],
];

/** As much of a result of `stress` as is taken for one. */
const RESULT = JSON.stringify({
  mode: 'echo',
  callsOffered: 1,
  callsFailed: 0,
  peakConcurrent: 1,
  goalsMet: 1,
  rtp: { lost: 0 },
  calls: [],
});

const folder = mkdtempSync(join(tmpdir(), 'wildfire-cli-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileWith(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('help', () => {
  it('lists every command', async () => {
    const { exitCode, stdout, stderr } = await wildfire(['--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const [command] of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
  });

  it.each(COMMANDS.map((words) => [words.join(' ')]))('of %s', async (command) => {
    const { exitCode, stdout, stderr } = await wildfire([...command.split(' '), '--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Usage: wildfire ${command}`);
    expect(stdout).toContain('--help');
  });

  it('tells the version', async () => {
    expect(await wildfire(['--version'])).toEqual({
      exitCode: 0,
      stdout: `${packageJson.version}\n`,
      stderr: '',
    });
  });
});

describe('a mistyped command line exits 2 and says what is wrong', () => {
  it.each([
    ['an unknown command', ['strat'], [/unknown command 'strat'/, /start/, /wildfire --help/]],
    ['an unknown option', ['start', '--prot', '5'], [/unknown option '--prot'/]],
    ['an unknown option below a command', ['gpu', 'install', '--bogus'], [/unknown option '--bogus'/]],
    ['a backend that there is not', ['gpu', 'install', '--backend', 'rocm'], [/cuda, vulkan/]],
    ['a missing argument', ['call'], [/missing required argument 'uri'/]],
    ['a seed that is no number', ['demo', '--seed', 'x'], [/--seed/, /whole number/]],
    ['an objective that is none', ['stress', '--slo', 'fast'], [/--slo fast: expected p50/]],
    ...[
      ...['--calls 3', '--rate 2', '--ramp 5', '--duration 9'].map((one) => `${one} --find-capacity`),
      '--call-length 5 --mode echo --find-capacity',
      ...['--slo p95=900', '--most 9', '--limit 60', '--call-length 5', '--rate 2 --ramp 5'],
      '--store x.db --target sip:x@127.0.0.1:9',
    ].map((line): [string, string[], RegExp[]] => [
      `stress ${line}: an option that would do nothing`,
      ['stress', ...line.split(' ')],
      [new RegExp(`^wildfire: ${line.split(' ')[0]}: `, 'm')],
    ]),
    ['a result that is not there', ['stress', 'compare', '/nowhere', '/x'], [/\/nowhere\/stress\.json/]],
    [
      'a result of something else',
      ['stress', 'compare', 'package.json', 'x'],
      [/package\.json: not a whole result of "wildfire stress"/, /callsOffered/],
    ],
    [
      'half a result',
      ['stress', 'compare', fileWith('half.json', '{"mode":"echo","callsOffered":1,"calls":[]}'), 'x'],
      [/half\.json: not a whole result/, /rtp/],
    ],
    ['a mode that there is not', ['stress', '--mode', 'talk'], [/conversation, echo/]],
    ['a rate of nothing', ['stress', '--rate', '0'], [/--rate/, /above 0/]],
    ['a phrasing that there is not', ['call', 'sip:x@y', '--phrasing', 'odd'], [/trained, heldOut/]],
    ['a target that is no SIP URI', ['stress', '--target', 'x'], [/"x" is no SIP URI/]],
    ['no SIP URI', ['call', 'bot@example.org'], [/"bot@example.org" is no SIP URI/, /sip:bot@127/]],
    ['a role that there is not', ['start', '--roles', 'sip,asr'], [/unknown role "asr"/, /whisper/]],
    [
      'an echo that is to think',
      ['start', '--roles', 'sip,llama', '--set', 'agent.mode=echo'],
      [/--roles sip,llama: agent\.mode = "echo" answers calls without models/, /leave --roles out/],
    ],
    [
      'ports of others that nobody can know',
      ['start', '--roles', 'sip', '--set', 'control.whisperPort=0', '--set', 'control.ttsRegisterPort=0'],
      [/control\.whisperPort: 0 finds nobody/, /control\.ttsRegisterPort: 0/],
    ],
    [
      'an open control plane',
      ['check', '--set', 'control.bindAddress=0.0.0.0'],
      [/control.allow/, /control.secret/],
    ],
    ['an unknown key', ['check', '--set', 'sip.prot=5'], [/unknown key "sip.prot".*"sip.port"/]],
    ['a setting without a value', ['check', '--set', 'sip.port'], [/key=value/]],
    ['a value of the wrong type', ['check', '--set', 'sip.port=many'], [/sip.port: expected a number/]],
    ['a value out of range', ['start', '--set', 'sip.port=70000'], [/sip\.port: .*65535/]],
    ['a configuration that is not there', ['start', '-c', '/no/such.toml'], [/no\/such\.toml/]],
  ])('%s', async (_name, args, patterns) => {
    expectMistake(await wildfire(args), USAGE, patterns);
  });

  it('no command at all', async () => {
    const { exitCode, stderr } = await wildfire([]);
    expect(exitCode).toBe(USAGE);
    expect(stderr).toContain('Usage: wildfire');
  });

  it('a configuration file that is not TOML, with its line', async () => {
    const file = fileWith('broken.toml', '[sip]\nport = = 5\n');
    expectMistake(await wildfire(['check', '-c', file]), USAGE, [/broken\.toml:2:/]);
  });

  it('a configuration file with an unknown key, with the nearest known one', async () => {
    const file = fileWith('typo.toml', '[limits]\nmaxcalls = 5\n');
    expectMistake(await wildfire(['check', '-c', file]), USAGE, [
      /typo\.toml: unknown key "limits\.maxcalls".*"limits\.maxCalls"/,
    ]);
  });

  it('an environment variable with a wrong value', async () => {
    const environment = { WILDFIRE_SIP_PORT: 'many' };
    expectMistake(await wildfire(['check'], { environment }), USAGE, [
      /WILDFIRE_SIP_PORT: sip\.port: expected a number/,
    ]);
  });

  it('several mistakes, each on a line of its own', async () => {
    const args = ['check', '--set', 'sip.port=-1', '--set', 'limits.maxCalls=0'];
    const run = await wildfire(args);
    expectMistake(run, USAGE, [/sip\.port/, /limits\.maxCalls/]);
    expect(run.stderr.trim().split('\n')).toHaveLength(2);
  });

  it.each([
    ['that is no script', '{}', /script\.json: steps/],
    ['that is no JSON', 'hello', /script\.json.*JSON/],
    ['with a broken pattern', '{"name":"x","steps":[{"goal":"g","say":"s","expect":["("]}]}', /expect\.0/],
  ])('a caller script %s', async (_name, text, pattern) => {
    const script = fileWith('script.json', text);
    const packs = ['pack', 'callerPack'].flatMap((key) => ['--set', `models.${key}=${scratchPack()}`]);
    const args = ['demo', '--script', script, ...packs];
    expectMistake(await wildfire(args), USAGE, [pattern]);
  });

  it.each([
    ['demo', []],
    ['call', ['sip:x@127.0.0.1:9']],
    ['stress', ['--mode', 'echo']],
    ['stress', ['compare', fileWith('a.json', RESULT), fileWith('b.json', RESULT)]],
  ])('a folder for the files of %s that cannot be made, before anything starts', async (command, args) => {
    const out = join(fileWith('a-file', ''), 'below');
    const pack = ['--set', `models.pack=${scratchPack()}`];
    const script = ['--script', fileWith('fine.json', '{"name":"x","steps":[{"goal":"g","say":"s"}]}')];
    const own = command === 'stress' ? [] : [...script, ...pack];
    const run = await wildfire([command, ...args, ...own, '--out', out]);
    expectMistake(run, USAGE, [/--out .*a-file\/below: ENOTDIR/]);
    expect(run.stderr).not.toContain('starting');
  });

  it.each([
    ['that is not there', '/no/such.wav', /no\/such\.wav/],
    ['that is no recording', fileWith('text.wav', 'hello'), /WAV/i],
  ])('a recording %s', async (_name, wav, pattern) => {
    const args = ['call', 'sip:x@127.0.0.1:9', '--wav', wav, '--set', `models.callerPack=${scratchPack()}`];
    expectMistake(await wildfire(args), USAGE, [pattern]);
  });
});

describe('check', () => {
  it('prints the effective configuration: flag over environment over file over default', async () => {
    const file = fileWith('good.toml', '[sip]\nport = 1\nuserAgent = "file"\n[limits]\nmaxCalls = 7\n');
    const { exitCode, stdout } = await wildfire(['check', '--json', '-c', file, '-s', 'sip.port=3'], {
      environment: { WILDFIRE_SIP_PORT: '2', WILDFIRE_SIP_USER_AGENT: 'environment' },
    });
    expect(exitCode).toBe(0);
    const { sip, limits, rtp } = JSON.parse(stdout);
    expect(sip).toMatchObject({ port: 3, userAgent: 'environment' });
    expect(limits.maxCalls).toBe(7);
    expect(rtp).toEqual(DEFAULT_CONFIG.rtp);
  });

  it('prints every key, as TOML that it reads back', async () => {
    const { stdout } = await wildfire(['check']);
    const again = await wildfire(['check', '--json', '-c', fileWith('printed.toml', stdout)]);
    expect(JSON.parse(again.stdout)).toEqual(DEFAULT_CONFIG);
    for (const key of CONFIG_KEYS) expect(stdout).toContain(`${key.split('.')[1]} = `);
  });
});

let scratch = '';
function scratchPack(): string {
  if (scratch === '') scratch = writeScratchPack();
  return scratch;
}
