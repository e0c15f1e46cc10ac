/** What the command line needs of a running runtime; main.ts supplies the function that builds one. */
import type { CallReport, TurnReport } from '../call/reports.ts';
import type { Config } from '../config/schema.ts';

export interface RuntimeEvents {
  readonly onTurn?: (turn: TurnReport) => void;
  readonly onCallEnded?: (call: CallReport) => void;
}

export interface RunningRuntime {
  /** One line per listening address: `sip udp 0.0.0.0:5060`. */
  readonly listening: readonly string[];
  readonly sipPort: number;
  /** Null when the HTTP side is off. */
  readonly webPort: number | null;
  /** Refuses new calls, waits for the running ones, then stops everything. */
  drain(): Promise<void>;
  /** Ends all calls with BYE, then stops everything. */
  stop(): Promise<void>;
}

export type RuntimeStarter = (config: Config, events: RuntimeEvents) => Promise<RunningRuntime>;
