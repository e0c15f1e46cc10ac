/**
 * The registration storm against a process whose inference pools are all saturated: what the peers measured, what the
 * kernel threw away, how late the main loop was. Three programs besides ours: the storm, the saturation, and whoever
 * calls this. Shared by the test and by bench/control-plane.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freeOldPorts, type OldPorts } from '../../peers/free-ports.ts';
import { OurProcess } from '../our-process.ts';
import { kernelDrops } from './kernel-drops.ts';
import type { StormOptions, StormResult } from './registration-storm.ts';
import type { SaturationOptions, SaturationResult } from './saturation.ts';

/** 10,000 datagrams for 1,000 ids in ten seconds; nobody is behind 100 of them. */
const STORM = { ids: 1000, datagrams: 10_000, datagramsPerSecond: 1000, blackHoles: 100 };
const LANES_PER_POOL = 3;
/** Above the ids of the storm, in steps of two from 2. */
const FIRST_SATURATING_ID = 2 * STORM.ids + 2;
const MAX_CALL_ID = FIRST_SATURATING_ID + 100;

export interface SaturatedStorm {
  readonly storm: StormResult;
  readonly saturation: SaturationResult;
  readonly blackHoleIds: number;
  /** Of the whole machine while the storm lasted. */
  readonly busyCores: number;
  /** By /proc/net/udp. */
  readonly kernelDrops: number | null;
  /** REGISTERs that the process says it has read, of the storm and the saturation. */
  readonly registersRead: number;
  /** Since its start, by its own measure, ms. */
  readonly mainLoopMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** @param entry another program with our command line, null for ours */
export async function runSaturatedStorm(entry: string | null = null): Promise<SaturatedStorm> {
  const ports = await freeOldPorts(MAX_CALL_ID);
  const ours = await OurProcess.start({
    roles: ['whisper', 'llama', 'tts'],
    ports,
    settings: ['control.listen=true', 'control.greet=false', 'limits.maxCalls=32'],
    ...(entry === null ? {} : { entry }),
  });
  try {
    return await storm(ours, ports);
  } finally {
    await ours.kill();
  }
}

async function storm(ours: OurProcess, ports: OldPorts): Promise<SaturatedStorm> {
  const saturating = Program.start('saturation.ts', {
    ports,
    firstCallId: FIRST_SATURATING_ID,
    lanesPerPool: LANES_PER_POOL,
  } satisfies SaturationOptions);
  await saturating.line(1);
  const cpuBefore = cpuMs();
  const storming = Program.start('registration-storm.ts', {
    ...STORM,
    registrationPort: ports.audioInRegistrationPort,
    audioBasePort: ports.audioInBasePort,
  } satisfies StormOptions);
  const stormResult = JSON.parse(await storming.line(1)) as StormResult;
  const cpuAfter = cpuMs();
  const drops = kernelDrops(ports.audioInRegistrationPort);
  const metrics = await ours.metrics();
  saturating.end();
  const saturation = JSON.parse(await saturating.line(2)) as SaturationResult;
  const loopMs = (quantile: string): number =>
    1000 * metrics.sum('wildfire_main_loop_delay_seconds', { quantile });
  const read = (kind: string): number =>
    metrics.sum('wildfire_control_datagrams_total', { listener: 'whisper', kind });
  return {
    storm: stormResult,
    saturation,
    blackHoleIds: STORM.blackHoles,
    busyCores: busyCores(cpuBefore, cpuAfter),
    kernelDrops: drops,
    registersRead: read('register') + read('duplicate'),
    mainLoopMs: { p50: loopMs('p50'), p99: loopMs('p99'), max: loopMs('max') },
  };
}

interface CpuMs {
  readonly busy: number;
  readonly idle: number;
}

/** Time that the machine's cores have spent since it was started. */
function cpuMs(): CpuMs {
  const total = { busy: 0, idle: 0 };
  for (const { times } of cpus()) {
    total.busy += times.user + times.nice + times.sys + times.irq;
    total.idle += times.idle;
  }
  return total;
}

function busyCores(before: CpuMs, after: CpuMs): number {
  const busy = after.busy - before.busy;
  const share = busy / (busy + after.idle - before.idle);
  return Math.round(share * availableParallelism() * 100) / 100;
}

/** A program of this folder whose lines on stdout count. */
class Program {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #reader: Interface;
  readonly #exited: Promise<unknown>;

  private constructor(file: string, options: object) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#child = spawn(process.execPath, [path, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#reader = createInterface({ input: this.#child.stdout! });
    this.#reader.on('line', (line) => this.#lines.push(line));
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  static start(file: string, options: object): Program {
    return new Program(file, options);
  }

  end(): void {
    this.#child.kill('SIGTERM');
  }

  /** @returns the nth line, from 1 @throws when the program ended without it */
  async line(nth: number): Promise<string> {
    for (;;) {
      const line = this.#lines[nth - 1];
      if (line !== undefined) return line;
      const next = new Promise<'line'>((resolve) => this.#reader.once('line', () => resolve('line')));
      const outcome = await Promise.race([next, this.#exited]);
      if (outcome !== 'line' && this.#lines[nth - 1] === undefined)
        throw new Error('it ended without a result');
    }
  }
}
