/**
 * A process that keeps turns in a file of calls, as fast as it can, tells its parent of each batch that is written, and
 * ends. Run: node writing-process.ts FILE TURNS
 */
import { StoreClient } from '../../src/store/store-client.ts';
import { turnReport } from './reports.ts';

const BATCH = 5;
const [path = '', turns = '0'] = process.argv.slice(2);
let faults = 0;
const say = (fields: object, message: string): void => console.error(message, fields);
const client = await StoreClient.start({
  path,
  retentionDays: 0,
  keepText: false,
  log: { debug: say, info: say, warn: say, error: say },
  count: () => {
    faults += 1;
  },
  onWritten: () => {},
  tuning: { flushMs: 0 },
});
for (let turnId = 1; turnId <= Number(turns); turnId++) {
  client.keepTurn(turnReport({ turnId }));
  if (turnId % BATCH !== 0) continue;
  await client.written();
  process.send?.({ written: turnId });
}
await client.close();
process.send?.({ run: client.run, faults });
process.disconnect?.();
