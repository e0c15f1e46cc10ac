/**
 * Four processes of ours, one role each, on one set of ports, and a caller who dials the one with `sip`, asks for the
 * opening hours and judges the answer by what it hears.
 */
import { type CallerEngines, startCallerEngines } from '../../../src/caller/caller-engines.ts';
import { understand } from '../../../src/caller/ear.ts';
import { loadPack } from '../../../src/models/pack.ts';
import { monotonicMs } from '../../../src/observability/clock.ts';
import { until } from '../../media/rtp-peer.ts';
import { TEST_PACK_FOLDER } from '../../models/test-pack.ts';
import { type TestCall, TestCaller } from '../../runtime/test-caller.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { OurProcess, ROLES, type Role } from './our-process.ts';

/** Of the answer, so much is enough to tell it from any other. */
const BRIEF_MS = 2500;
const ANSWER_LIMIT_MS = 20_000;
export const GREETING = 'Hello.';
const QUESTION = 'what are your opening hours';
export const ANSWER = /open|clos|noon|o'clock|evening/i;
const SETTINGS = [`agent.greeting=${GREETING}`, 'llama.sequences=4'];

export class SplitSystem {
  readonly ports: OldPorts;
  readonly processes = new Map<Role, OurProcess>();

  private constructor(ports: OldPorts) {
    this.ports = ports;
  }

  /** Starts the roles one after another, each when the one before is ready. */
  static async start(order: readonly Role[] = ROLES): Promise<SplitSystem> {
    const system = new SplitSystem(await freeOldPorts(20));
    try {
      for (const role of order) await system.startRole(role);
    } catch (error) {
      await system.close();
      throw error;
    }
    return system;
  }

  async startRole(role: Role): Promise<OurProcess> {
    const ours = await OurProcess.start({ roles: [role], ports: this.ports, settings: SETTINGS });
    this.processes.set(role, ours);
    return ours;
  }

  get sipPort(): number {
    return this.processes.get('sip')?.sipPort ?? 0;
  }

  /** @returns the exit codes, by role */
  async close(): Promise<Record<string, number | null>> {
    const codes = [...this.processes].map(async ([role, ours]) => [role, await ours.stop()] as const);
    return Object.fromEntries(await Promise.all(codes));
  }
}

/** The caller's telephone, mouth and ear, for any number of calls. */
export class Listener {
  readonly #caller: TestCaller;
  readonly #engines: CallerEngines;
  readonly #question: Int16Array;

  private constructor(caller: TestCaller, engines: CallerEngines, question: Int16Array) {
    this.#caller = caller;
    this.#engines = engines;
    this.#question = question;
  }

  static async start(): Promise<Listener> {
    const pack = await loadPack(TEST_PACK_FOLDER);
    const engines = await startCallerEngines(pack);
    const voice = { name: pack.tts.voice, speed: 1, pitchFactor: 1 };
    return new Listener(await TestCaller.start(), engines, await engines.render(QUESTION, voice));
  }

  /** Dials and listens to the greeting. */
  async call(sipPort: number): Promise<TestCall> {
    const call = await this.#caller.dial(sipPort);
    await call.untilAgentFinished();
    return call;
  }

  /** Asks, and does not wait for the answer. */
  async say(call: TestCall): Promise<void> {
    await call.telephone.say(this.#question);
  }

  /** Asks and listens to the beginning of the answer only. @returns its words */
  async askBriefly(call: TestCall): Promise<string> {
    await this.say(call);
    const askedAtMs = monotonicMs();
    const { heard } = call.telephone;
    const hasHeardEnough = (): boolean => {
      const spokeAtMs = heard.firstVoicedAtMs(askedAtMs);
      return spokeAtMs !== null && monotonicMs() - spokeAtMs > BRIEF_MS;
    };
    await until(hasHeardEnough, ANSWER_LIMIT_MS);
    return this.#words(call, askedAtMs);
  }

  #words(call: TestCall, sinceMs: number): Promise<string> {
    return understand(call.telephone.heard.slice(sinceMs, monotonicMs()), this.#engines.transcribe);
  }

  async close(): Promise<void> {
    await this.#caller.close();
    await this.#engines.close();
  }
}
