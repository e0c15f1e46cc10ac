/** The runtime that other commands start: it stays on loopback, and nobody else on the box reads its configuration. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loopbackSettings, RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { CONFIG_KEYS, DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';

const SECRET = 'sixteen characters, at least';

/** The configuration that `loopbackSettings` makes of one with these settings. */
function onLoopback(settings: readonly string[], store?: string): Config {
  const config = loadConfig({ environment: {}, settings });
  return loadConfig({ environment: {}, settings: loopbackSettings(config, store) });
}

describe('the settings of a runtime on loopback', () => {
  it('leave nothing of a network', () => {
    const { sip, control, agent, log, limits, store } = onLoopback([
      ...[
        'sip.bindAddress=192.0.2.1',
        'sip.port=5070',
        'sip.advertisedAddress=203.0.113.1',
        'sip.userAgent=x',
      ],
      ...['control.listen=true', 'control.bindAddress=0.0.0.0', 'control.allow=192.0.2.0/24'],
      ...[`control.secret=${SECRET}`, 'control.whisperPort=1', 'agent.mode=echo', 'agent.greeting=Hi.'],
      ...['limits.maxCalls=7', 'log.level=debug', 'store.path=/x'],
    ]);
    expect(sip).toEqual({ bindAddress: '127.0.0.1', port: 0, advertisedAddress: '', userAgent: 'x' });
    expect(control).toEqual(DEFAULT_CONFIG.control);
    expect(agent).toEqual({ ...DEFAULT_CONFIG.agent, greeting: 'Hi.' });
    expect([limits.maxCalls, log.level, store.enabled]).toEqual([7, 'warn', false]);
  });

  it('name every key, so that none comes from elsewhere', () => {
    expect(loopbackSettings(DEFAULT_CONFIG).map((setting) => setting.split('=')[0])).toEqual(CONFIG_KEYS);
  });

  it('keep calls in the file that is named, and there only', () => {
    expect(onLoopback(['store.path=/x'], '/y/calls.db').store).toMatchObject({
      enabled: true,
      path: '/y/calls.db',
    });
  });
});

describe('a runtime of another command', () => {
  it('has its settings, of which none stands on its command line', async () => {
    const runtime = await RuntimeProcess.start([
      ...['agent.mode=echo', 'sip.bindAddress=127.0.0.1', 'sip.port=0', 'web.port=0'],
      ...['log.level=warn', `control.secret=${SECRET}`],
    ]);
    try {
      const commandLine = readFileSync(`/proc/${runtime.pid}/cmdline`, 'utf8').split('\0');
      expect(commandLine.slice(-2)).toEqual(['start', '']);
      expect(commandLine.join(' ')).not.toContain(SECRET);
      expect(runtime.sipPort).not.toBe(DEFAULT_CONFIG.sip.port);
      expect(runtime.webPort).not.toBe(DEFAULT_CONFIG.web.port);
    } finally {
      await runtime.stop();
    }
  });

  it('does not start with a setting that is none', async () => {
    await expect(RuntimeProcess.start(['sip.prot=5'])).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
