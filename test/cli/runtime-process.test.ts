/** The runtime that other commands start: nobody else on the box reads its configuration. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';

const SECRET = 'sixteen characters, at least';

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
