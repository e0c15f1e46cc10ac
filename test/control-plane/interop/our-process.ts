/**
 * `wildfire start` with some of its roles, in a process of its own, as an operator runs it: what it prints when it
 * is ready, what it serves over HTTP, its signals. Ended by pid.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Family, parsePrometheus } from '../../observability/prometheus-text.ts';
import { TEST_SETTINGS } from '../../runtime/test-settings.ts';
import type { OldPorts } from '../peers/free-ports.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** A hundred starts of the same program need not compile it a hundred times. */
const COMPILE_CACHE = fileURLToPath(new URL('../../../.wildfire/compile-cache', import.meta.url));
/** Models are loaded before it is ready: seconds, but for a box that has other things to do. */
const READY_LIMIT_MS = 120_000;

export type Role = 'sip' | 'whisper' | 'llama' | 'tts';

export const ROLES: readonly Role[] = ['sip', 'whisper', 'llama', 'tts'];

export interface OurOptions {
  readonly roles: readonly Role[];
  readonly ports: OldPorts;
  readonly settings?: readonly string[];
  /** Another program with the same command line. */
  readonly entry?: string;
  /** For Node itself. */
  readonly nodeArguments?: readonly string[];
}

interface Ready {
  readonly listening: readonly string[];
  readonly sipPort: number;
  readonly webPort: number;
}

export class OurProcess {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #ready: Ready | null = null;

  private constructor({ roles, ports, settings = [], entry = MAIN, nodeArguments = [] }: OurOptions) {
    const all = [...TEST_SETTINGS, ...portSettings(ports), ...settings];
    const args = ['start', '--json', '--roles', roles.join(','), ...all.flatMap((one) => ['--set', one])];
    // It ends itself when the channel to its parent is gone, so a test run that is killed leaves nothing behind.
    this.#child = spawn(process.execPath, [...nodeArguments, entry, ...args], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    });
    this.exited = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
  }

  /** @throws when it ended, or was not ready in time; then it is killed */
  static async start(options: OurOptions): Promise<OurProcess> {
    const ours = new OurProcess(options);
    const timer = setTimeout(() => ours.#child.kill('SIGKILL'), READY_LIMIT_MS);
    const lines = createInterface({ input: ours.#child.stdout! });
    const ready = new Promise<'ready'>((resolve) => {
      lines.on('line', (line) => {
        ours.#ready ??= JSON.parse(line) as Ready;
        resolve('ready');
      });
    });
    const outcome = await Promise.race([ready, ours.exited]);
    clearTimeout(timer);
    if (outcome !== 'ready')
      throw new Error(`start --roles ${options.roles} ended with exit code ${outcome}`);
    return ours;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get sipPort(): number {
    return this.#ready?.sipPort ?? 0;
  }

  get listening(): readonly string[] {
    return this.#ready?.listening ?? [];
  }

  async metrics(): Promise<Metrics> {
    const response = await fetch(`http://127.0.0.1:${this.#ready?.webPort}/metrics`);
    return new Metrics(parsePrometheus(await response.text()));
  }

  /** Drains it. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    return this.exited;
  }

  /** As `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

/** One reading of /metrics. */
export class Metrics {
  readonly #families: ReadonlyMap<string, Family>;

  constructor(families: ReadonlyMap<string, Family>) {
    this.#families = families;
  }

  /** The sum of all samples of that name whose labels include `labels`; 0 without one. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const family = this.#families.get(name) ?? this.#families.get(name.replace(/_(bucket|sum|count)$/, ''));
    const matching = (family?.samples ?? []).filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    return matching.reduce((sum, { value }) => sum + value, 0);
  }

  /** Whether there is any sample of that name: a misspelt one must not pass as 0. */
  has(name: string): boolean {
    return this.#families.has(name);
  }
}

function portSettings(ports: OldPorts): string[] {
  return [
    `control.whisperPort=${ports.audioInRegistrationPort}`,
    `control.ttsRegisterPort=${ports.audioOutRegistrationPort}`,
    `control.llamaPort=${ports.llamaPort}`,
    `control.ttsPort=${ports.ttsPort}`,
    `control.inboundPortBase=${ports.audioInBasePort}`,
    `control.outboundPortBase=${ports.audioOutBasePort}`,
  ];
}
