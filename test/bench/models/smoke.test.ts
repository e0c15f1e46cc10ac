/** Some of the models bench on a few items: that it runs from the command line and prints one document. */
import { describe, expect, it } from 'vitest';
import { wildfire } from '../../cli/wildfire.ts';

const TIMEOUT_MS = 240_000;

describe('bench models', () => {
  it('prints one JSON document with the rows of the groups asked for', { timeout: TIMEOUT_MS }, async () => {
    const args = ['bench', 'models', '--only', 'recogniser,silence,speaker', '--limit', '4', '--json'];
    const { exitCode, stdout, stderr } = await wildfire(args, { timeoutMs: TIMEOUT_MS });
    expect([0, 1], stderr).toContain(exitCode);
    const { machine, results } = JSON.parse(stdout);
    expect(machine).toMatchObject({ pack: expect.stringMatching(/^embedded /), recogniserProvider: 'cpu' });
    const names = results.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'models.wer.clean',
        'models.wer.unseenBabble',
        'models.wer.unseenStreet',
        'models.hallucinatedWords',
        'models.tts.wer',
        'models.tts.errorsAboveTeacher',
      ]),
    );
    for (const row of results) {
      expect(row).toMatchObject({ name: expect.any(String), unit: expect.any(String) });
      for (const key of ['p50', 'p95', 'p99']) expect(row).toHaveProperty(key);
    }
    const isMissed = results.some(({ holds }: { holds?: boolean }) => holds === false);
    expect(exitCode).toBe(isMissed ? 1 : 0);
  });
});
