/** What the command line needs of a running runtime; main.ts supplies the function that builds one. */
import type { CallReport, TurnReport } from '../call/reports.ts';
import type { Config } from '../config/schema.ts';
import type { ControlPorts } from '../control-plane/control-plane.ts';
import type { Role } from '../control-plane/routes.ts';

export interface RuntimeEvents {
  readonly onTurn?: (turn: TurnReport) => void;
  readonly onCallEnded?: (call: CallReport) => void;
}

export interface RuntimeOptions extends RuntimeEvents {
  /** What this process does, default everything; the rest is reached over the control plane. */
  readonly roles?: ReadonlySet<Role>;
}

export interface RunningRuntime {
  /** One line per listening address: `sip udp 0.0.0.0:5060`. */
  readonly listening: readonly string[];
  /** 0 without the sip role. */
  readonly sipPort: number;
  /** Null when the HTTP side is off. */
  readonly webPort: number | null;
  /** Null where the control plane is not used. */
  readonly controlPorts: ControlPorts | null;
  /** Refuses new calls, waits for the running ones, then stops everything. */
  drain(): Promise<void>;
  /** Ends all calls with BYE, then stops everything. */
  stop(): Promise<void>;
}

export type RuntimeStarter = (config: Config, options: RuntimeOptions) => Promise<RunningRuntime>;
