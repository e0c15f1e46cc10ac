import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONFIG_KEYS, DEFAULT_CONFIG, environmentName } from '../../src/config/key-paths.ts';
import { loadConfig } from '../../src/config/load.ts';
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

  it('masks secrets and nothing else', () => {
    const config = { ...DEFAULT_CONFIG, llama: { ...DEFAULT_CONFIG.llama, apiKey: 'x' } };
    expect(maskSecrets(config).llama).toMatchObject({ apiKey: '***', contextTokens: 1024 });
  });
});
