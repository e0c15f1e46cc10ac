/** CPU hogs for benches: one process per core that computes at a given nice value until closed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, setPriority } from 'node:os';

/** Starts `count` (default: one per core) hogs at nice value `nice`; the answer ends them. */
export async function startHogs(
  nice: number,
  count = availableParallelism(),
): Promise<{ stop: () => Promise<void> }> {
  const hogs = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'let x = 1; for (;;) x = Math.sin(x) + 1;'], { stdio: 'ignore' }),
  );
  await Promise.all(hogs.map((hog) => once(hog, 'spawn')));
  for (const hog of hogs) setPriority(hog.pid!, nice);
  const stop = async (): Promise<void> => {
    const exits = hogs.map((hog) => once(hog, 'exit'));
    for (const hog of hogs) hog.kill('SIGKILL');
    await Promise.all(exits);
  };
  return { stop };
}
