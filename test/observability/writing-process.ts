/**
 * Writes numbered lines to stderr when told by message, and answers what became of them. Started by line-writer.test.ts,
 * with `non-blocking` for what Node makes of a pipe once `process.stderr` is asked for.
 */
import { once } from 'node:events';
import { LineWriter } from '../../src/observability/line-writer.ts';

interface Order {
  readonly write?: number;
  readonly thenThrow?: boolean;
  readonly awaitDrops?: number;
  readonly awaitRecovery?: boolean;
}

const changes = new EventTarget();
const dropped: Record<string, number> = {};
const recovered: number[] = [];
const writer = new LineWriter(2, {
  dropped: (reason, lines) => {
    dropped[reason] = (dropped[reason] ?? 0) + lines;
    changes.dispatchEvent(new Event('change'));
  },
  recovered: (lines) => {
    recovered.push(lines);
    changes.dispatchEvent(new Event('change'));
  },
});
let lines = 0;

if (process.argv[2] === 'non-blocking') process.stderr.on('error', () => {});

process.on('exit', () => writer.flushSync());
process.on('message', (order: Order) => void obey(order));

async function obey(order: Order): Promise<void> {
  for (let count = order.write ?? 0; count > 0; count -= 1) {
    writer.write(`line ${lines} ${'.'.repeat(80)}\n`);
    lines += 1;
  }
  if (order.thenThrow) throw new Error('a fault');
  await until(() => Object.values(dropped).reduce((sum, count) => sum + count, 0) >= (order.awaitDrops ?? 0));
  await until(() => !order.awaitRecovery || recovered.length > 0);
  process.send?.({ dropped, recovered });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await once(changes, 'change');
}
