/**
 * A runtime in a process of its own, as `demo` and the tests start it: `wildfire start` with an IPC channel over
 * which it reports turns and calls. Thread: main.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallReport, TurnReport } from '../call/reports.ts';
import { DEFAULT_CONFIG } from '../config/key-paths.ts';
import { childEnvironment } from '../config/load.ts';
import { settingsOf } from '../config/print.ts';
import type { Config } from '../config/schema.ts';
import { type ErrorCode, WildfireError } from '../errors.ts';
import { packFolderOf } from '../models/pack-folders.ts';
import { EXIT_MISSING, EXIT_USAGE } from './exit-codes.ts';

export type RuntimeMessage =
  | { readonly event: 'ready'; readonly sipPort: number; readonly webPort: number | null }
  | { readonly event: 'turn'; readonly turn: TurnReport }
  | { readonly event: 'callEnded'; readonly call: CallReport }
  | { readonly event: 'stopped' };

export const LOOPBACK = '127.0.0.1';
/** A call gives everything back a moment after its BYE. */
const LEDGER_TIMEOUT_MS = 5_000;

const CODE_BY_EXIT: Readonly<Record<number, ErrorCode>> = {
  [EXIT_USAGE]: 'CONFIG_INVALID',
  [EXIT_MISSING]: 'WORKER_WARMUP',
};

/** Calls that are made here are no real ones: they are kept apart from those, in the file that --store names. */
const KEEPS_NO_CALLS = 'store.enabled=false';

/**
 * The settings of a configuration for a runtime that converses on free loopback ports and logs warnings only: nothing in
 * them leads a call, or a party of the control plane, elsewhere.
 * @param store the file that it keeps its calls in; undefined: it keeps none, whatever the configuration says
 */
export function loopbackSettings(config: Config, store?: string): string[] {
  const kept = store === undefined ? { enabled: false } : { enabled: true, path: resolve(store) };
  return settingsOf({
    ...config,
    sip: { ...config.sip, bindAddress: LOOPBACK, port: 0, advertisedAddress: '' },
    models: { ...config.models, pack: packFolderOf(config.models.pack) },
    agent: { ...config.agent, mode: 'conversation' },
    control: DEFAULT_CONFIG.control,
    store: { ...config.store, ...kept },
    log: { level: 'warn' },
  });
}

export class RuntimeProcess {
  readonly turns: TurnReport[] = [];
  readonly calls: CallReport[] = [];
  readonly #child: ChildProcess;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  readonly #callWaiters: (() => void)[] = [];
  #ready: { sipPort: number; webPort: number | null } | null = null;

  private constructor(settings: readonly string[]) {
    const main = fileURLToPath(new URL('../main.ts', import.meta.url));
    const env = childEnvironment([KEEPS_NO_CALLS, ...settings]);
    this.#child = fork(main, ['start'], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.exited = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
    this.#child.on('message', (message) => this.#onMessage(message as RuntimeMessage));
  }

  /**
   * Starts one and waits until it is ready.
   * @param settings `key=value` of the configuration; calls are kept only where they say so
   * @throws WildfireError CONFIG_INVALID, WORKER_WARMUP or INVALID_STATE when it ended instead; it has said why on
   * stderr, and the code leads to the same exit code as its own
   */
  static async start(settings: readonly string[]): Promise<RuntimeProcess> {
    const runtime = new RuntimeProcess(settings);
    const ready = new Promise<void>((resolve) => {
      const onMessage = (message: unknown): void => {
        if ((message as RuntimeMessage).event === 'ready') resolve();
      };
      runtime.#child.on('message', onMessage);
    });
    const outcome = await Promise.race([ready.then(() => 'ready' as const), runtime.exited]);
    if (outcome !== 'ready') {
      throw new WildfireError(
        CODE_BY_EXIT[outcome ?? -1] ?? 'INVALID_STATE',
        `the runtime ended with exit code ${outcome} before it was ready (see above)`,
      );
    }
    return runtime;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get sipPort(): number {
    return this.#ready?.sipPort ?? 0;
  }

  get webPort(): number | null {
    return this.#ready?.webPort ?? null;
  }

  /** Resolves when `count` calls have ended and given everything back, or after `timeoutMs`. */
  async callsEnded(count: number, timeoutMs = LEDGER_TIMEOUT_MS): Promise<boolean> {
    const giveUp = AbortSignal.timeout(timeoutMs);
    while (this.calls.length < count && !giveUp.aborted) {
      await new Promise<void>((resolve) => {
        this.#callWaiters.push(resolve);
        giveUp.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return this.calls.length >= count;
  }

  /** Drains it. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    return this.exited;
  }

  #onMessage(message: RuntimeMessage): void {
    if (message.event === 'ready') this.#ready = message;
    else if (message.event === 'turn') this.turns.push(message.turn);
    else if (message.event === 'callEnded') {
      this.calls.push(message.call);
      for (const waiter of this.#callWaiters.splice(0)) waiter();
    }
  }
}
