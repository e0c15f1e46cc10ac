/** What runs here stays here: no library reports it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasTestPack } from '../models/test-pack.ts';
import { wildfire } from './wildfire.ts';

it.runIf(hasTestPack('whisper'))(
  'loads models without onnxruntime keeping a database of events for Microsoft',
  async () => {
    const cache = mkdtempSync(join(tmpdir(), 'wildfire-cache-'));
    try {
      const { stdout, stderr } = await wildfire(
        ['doctor', '--json', '--set', 'sip.port=0', '--set', 'web.port=0'],
        { environment: { XDG_CACHE_HOME: cache, ORT_DISABLE_TELEMETRY: undefined } },
      );
      const { findings } = JSON.parse(stdout) as { findings: { name: string; verdict: string }[] };
      expect(findings, stderr).toContainEqual(
        expect.objectContaining({ name: 'speech to text', verdict: 'ok' }),
      );
      expect(readdirSync(cache)).toEqual([]);
    } finally {
      rmSync(cache, { recursive: true });
    }
  },
);
