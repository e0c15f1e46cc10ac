import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONFIG_KEYS, DEFAULT_CONFIG, environmentName } from '../../src/config/key-paths.ts';
import { childEnvironment, loadConfig } from '../../src/config/load.ts';
import { maskSecrets, printConfig, settingsOf } from '../../src/config/print.ts';
import { WildfireError } from '../../src/errors.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wildfire-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function fileWith(text: string): string {
  const file = join(folder, 'wildfire.toml');
  writeFileSync(file, text);
  return file;
}

function messageWhen(sources: Parameters<typeof loadConfig>[0]): string {
  try {
    loadConfig({ environment: {}, ...sources });
  } catch (error) {
    expect(error).toBeInstanceOf(WildfireError);
    expect((error as WildfireError).code).toBe('CONFIG_INVALID');
    return (error as WildfireError).message;
  }
  throw new Error('the configuration was accepted');
}

describe('loadConfig', () => {
  it('gives the defaults when nothing is set', () => {
    expect(loadConfig({ environment: {} })).toEqual(DEFAULT_CONFIG);
  });

  it('takes a flag over the environment over the file over the default', () => {
    const file = fileWith('[sip]\nport = 1111\nuserAgent = "file"\nbindAddress = "127.0.0.9"\n');
    const environment = { WILDFIRE_SIP_PORT: '2222', WILDFIRE_SIP_USER_AGENT: 'environment' };
    const config = loadConfig({ file, environment, settings: ['sip.port=3333'] });
    expect(config.sip).toEqual({
      bindAddress: '127.0.0.9',
      port: 3333,
      userAgent: 'environment',
      advertisedAddress: '',
    });
  });

  it('reads booleans and numbers from the environment', () => {
    const environment = { WILDFIRE_WEB_ENABLED: 'off', WILDFIRE_AGENT_SPEED: '1.25' };
    const config = loadConfig({ environment });
    expect(config.web.enabled).toBe(false);
    expect(config.agent.speed).toBe(1.25);
  });

  it.each([
    ['an unknown key', '[sip]\nprot = 5\n', /unknown key "sip\.prot"; did you mean "sip\.port"/],
    ['an unknown section', '[spi]\nport = 5\n', /unknown key "spi\.port"; did you mean "sip\.port"/],
    ['a key outside a section', 'port = 5\n', /outside a \[section\]/],
    ['a wrong type', '[sip]\nport = "five"\n', /sip\.port: expected number/],
    ['a value out of range', '[sip]\nport = 70000\n', /sip\.port: .*65535/],
    ['ports in the wrong order', '[rtp]\nportFirst = 30000\nportLast = 20000\n', /rtp\.portLast/],
    ['broken TOML', '[sip\n', /wildfire\.toml:1:\d+: not valid TOML/],
  ])('refuses %s in a file and says where', (_name, text, expected) => {
    expect(messageWhen({ file: fileWith(text) })).toMatch(expected);
  });

  it('names every mistake, not only the first', () => {
    const message = messageWhen({ settings: ['sip.port=70000', 'agent.speed=9'] });
    expect(message.split('\n')).toHaveLength(2);
  });

  it('refuses a missing file, a bad flag and a bad number', () => {
    expect(messageWhen({ file: join(folder, 'absent.toml') })).toMatch(/cannot read the configuration file/);
    expect(messageWhen({ settings: ['sip.port'] })).toMatch(/expected key=value/);
    expect(messageWhen({ settings: ['sip.port=many'] })).toMatch(/expected a number, got "many"/);
    expect(messageWhen({ environment: { WILDFIRE_WEB_ENABLED: 'perhaps' } })).toMatch(
      /expected true or false/,
    );
  });

  it('names where the value that counts came from', () => {
    const file = fileWith('[sip]\nport = 70000\n[agent]\nspeed = 9\n[log]\nlevel = "loud"\n');
    const environment = { WILDFIRE_SIP_PORT: '70001', WILDFIRE_AGENT_SPEED: '8' };
    const lines = messageWhen({ file, environment, settings: ['agent.speed=7'] }).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^WILDFIRE_SIP_PORT: sip\.port: .*65535/),
        expect.stringMatching(/^--set: agent\.speed: /),
        expect.stringMatching(/^\S+wildfire\.toml: log\.level: .*"silent"/),
      ]),
    );
  });

  it('says nothing of a value that another source replaces', () => {
    const file = fileWith('[sip]\nport = 70000\n');
    expect(loadConfig({ file, environment: { WILDFIRE_SIP_PORT: '5070' } }).sip.port).toBe(5070);
  });

  it('tells the mistakes of all kinds and sources together', () => {
    const file = fileWith(
      'loose = 1\n[sip]\nprot = 5\nport = 70000\n[limits]\nmaxcalls = 5\n[control]\nallow = "nobody"\n',
    );
    const environment = { WILDFIRE_WEB_ENABLED: 'perhaps' };
    const settings = ['agent.speed', 'turn.minEndpointDelayMs=-1', 'spi.port=5'];
    const message = messageWhen({ file, environment, settings });
    for (const word of ['"loose" stands', '"sip.prot"', 'sip.port: ', '"limits.maxcalls"', 'web.enabled: ']) {
      expect(message).toContain(word);
    }
    for (const word of ['--set agent.speed: ', 'turn.minEndpointDelayMs: ', '"spi.port"']) {
      expect(message).toContain(word);
    }
    expect(message.split('\n')).toHaveLength(8);
  });

  it('tells what does not go together, with every source of it', () => {
    const file = fileWith('[rtp]\nportFirst = 30000\n[sip]\nport = 70000\n');
    const both = messageWhen({ file, environment: { WILDFIRE_RTP_PORT_LAST: '25000' } }).split('\n');
    expect(both).toHaveLength(2);
    const combination = /^\S+wildfire\.toml, WILDFIRE_RTP_PORT_LAST: rtp\.portLast \(25000\) must be above/;
    expect(both[1]).toMatch(combination);
    const one = messageWhen({ settings: ['control.secret=short', 'rtp.portLast=100'] }).split('\n');
    expect(one).toEqual([
      '--set: rtp.portLast (100) must be above rtp.portFirst (20000)',
      '--set: control.secret: expected at least 16 characters',
    ]);
  });

  it('does not guess what goes together where a value is missing by mistake', () => {
    const typo = fileWith('[rtp]\nportFrist = 1000\nportLast = 2000\n');
    expect(messageWhen({ file: typo }).split('\n')).toHaveLength(1);
    const absent = messageWhen({ file: join(folder, 'absent.toml'), settings: ['rtp.portLast=2000'] });
    expect(absent.split('\n')).toHaveLength(1);
  });
});

describe('the names of keys', () => {
  it('have one environment variable each', () => {
    const names = CONFIG_KEYS.map(environmentName);
    expect(new Set(names).size).toBe(CONFIG_KEYS.length);
    expect(environmentName('rtp.portFirst')).toBe('WILDFIRE_RTP_PORT_FIRST');
  });
});

describe('printConfig', () => {
  it('prints TOML that loads back to the same configuration', () => {
    const config = loadConfig({ environment: {}, settings: ['sip.port=5070', 'agent.greeting=Hi "you"'] });
    expect(loadConfig({ environment: {}, file: fileWith(printConfig(config)) })).toEqual(config);
  });

  it('gives settings that load to the same configuration', () => {
    const config = loadConfig({
      environment: {},
      settings: ['agent.greeting=a = b\n"c"', 'web.enabled=false'],
    });
    expect(loadConfig({ environment: {}, settings: settingsOf(config) })).toEqual(config);
  });

  it('gives them to a child in its environment, the last of two, and no key that is none', () => {
    const config = loadConfig({ environment: {}, settings: ['agent.greeting=a = b\n"c"', 'sip.port=7'] });
    const environment = childEnvironment(['sip.port=6', ...settingsOf(config)], { PATH: '/bin' });
    expect(environment.PATH).toBe('/bin');
    expect(loadConfig({ environment })).toEqual(config);
    expect(() => childEnvironment(['sip.prot=6'], {})).toThrow(/unknown key "sip.prot"/);
  });

  it('masks secrets and nothing else', () => {
    const config = { ...DEFAULT_CONFIG, llama: { ...DEFAULT_CONFIG.llama, apiKey: 'x' } };
    expect(maskSecrets(config).llama).toMatchObject({ apiKey: '***', contextTokens: 1024 });
  });
});
