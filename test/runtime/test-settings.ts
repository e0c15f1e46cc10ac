/** How tests configure a runtime: loopback, free ports, the test pack, no database, nothing on stderr but faults. */
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { TEST_PACK_FOLDER } from '../models/test-pack.ts';

export const TEST_SETTINGS: readonly string[] = [
  'sip.bindAddress=127.0.0.1',
  'sip.port=0',
  'web.port=0',
  'log.level=error',
  'store.enabled=false',
  `models.pack=${TEST_PACK_FOLDER}`,
];

export function testConfig(...settings: readonly string[]): Config {
  return loadConfig({ settings: [...TEST_SETTINGS, ...settings], environment: {} });
}
