/** An old program in a process of its own, driven from a test: its events as they come, its commands, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('peer.ts', import.meta.url));

export type PeerRole = 'inbound' | 'whisper' | 'llama' | 'piper' | 'kokoro' | 'outbound';

export interface PeerEvent {
  readonly event: string;
  readonly [detail: string]: unknown;
}

export class PeerProcess {
  readonly events: PeerEvent[] = [];
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #waiters = new Set<() => void>();

  private constructor(role: PeerRole, options: object) {
    this.#child = spawn(process.execPath, [PROGRAM, role, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.exited = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as PeerEvent);
      for (const waiter of this.#waiters) waiter();
    });
  }

  /** @throws when it does not get ready in 10 s */
  static async start(role: PeerRole, options: object): Promise<PeerProcess> {
    const peer = new PeerProcess(role, options);
    await peer.event('ready', 1, 10_000);
    return peer;
  }

  command(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves with the nth event of that name, counted from 1. @throws after `limitMs` */
  async event(name: string, nth = 1, limitMs = 5000): Promise<PeerEvent> {
    const find = (): PeerEvent | undefined => this.all(name)[nth - 1];
    const giveUp = AbortSignal.timeout(limitMs);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (giveUp.aborted) throw new Error(`no "${name}" no. ${nth} in ${limitMs} ms`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiters.delete(wake);
          giveUp.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiters.add(wake);
        giveUp.addEventListener('abort', wake);
      });
    }
  }

  all(name: string): PeerEvent[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** As `kill PID` does it: it closes its calls in order. @returns its exit code */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.exited;
  }
}
