/**
 * How often the event loop of a thread turns while V8 collects the old garbage that it makes, for the bench and the test of
 * self-reliant workers. Thread: any.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const TICK_MS = 5;

/** Puts all threads of this process, and those to come, on the first core that it may use. Linux. @throws without taskset */
export function pinToOneCore(): void {
  const [, core = '0'] = /Cpus_allowed_list:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', core, `${process.pid}`], {
    stdio: 'ignore',
  });
}

/**
 * Makes old garbage, so that V8 collects all of it several times a minute.
 * @param onWindow after about `windowMs`: how often the loop turned in `elapsedMs`; ends when it answers true
 */
export function countTurns(windowMs: number, onWindow: (turns: number, elapsedMs: number) => boolean): void {
  const kept: object[][] = [];
  let window = { atMs: performance.now(), turn: turnsOfLoop() };
  const timer = setInterval(() => {
    for (let part = 0; part < 20; part += 1) {
      kept[Math.floor(Math.random() * 200)] = Array.from({ length: 2000 }, (_, index) => ({ index }));
    }
    const elapsedMs = performance.now() - window.atMs;
    if (elapsedMs < windowMs) return;
    if (onWindow(turnsOfLoop() - window.turn, elapsedMs)) clearInterval(timer);
    window = { atMs: performance.now(), turn: turnsOfLoop() };
  }, TICK_MS);
}

function turnsOfLoop(): number {
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}
