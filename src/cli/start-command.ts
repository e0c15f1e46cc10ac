/**
 * `wildfire start`: the runtime until a signal. First SIGTERM or SIGINT drains, the second ends now. When a parent
 * process listens on the IPC channel it receives every turn and call report (docs/cli.md, "Events").
 */
import { Command } from 'commander';
import type { Config } from '../config/schema.ts';
import { WildfireError } from '../errors.ts';
import { type ConfigOptions, configOf, withConfigOptions } from './config-options.ts';
import type { RunningRuntime, RuntimeStarter } from './runtime-starter.ts';

const ROLES = ['sip', 'whisper', 'llama', 'tts'] as const;

interface StartOptions extends ConfigOptions {
  readonly roles?: string;
  readonly json?: boolean;
}

export function startCommand(startRuntime: RuntimeStarter): Command {
  return withConfigOptions(new Command('start'))
    .description('run the runtime: answer calls until a signal')
    .option('--roles <list>', `roles to run in this process (all of ${ROLES.join(',')})`)
    .option('--json', 'print the listening addresses as one JSON document')
    .action((options: StartOptions) => run(startRuntime, options));
}

async function run(startRuntime: RuntimeStarter, options: StartOptions): Promise<void> {
  assertAllRoles(options.roles);
  const config = configOf(options);
  try {
    await runUntilSignalled(startRuntime, config, options.json === true);
  } finally {
    // A parent that listens would keep this process up.
    if (process.connected) process.disconnect();
  }
}

async function runUntilSignalled(
  startRuntime: RuntimeStarter,
  config: Config,
  asJson: boolean,
): Promise<void> {
  const signalled = firstSignal();
  const runtime = await startRuntime(config, {
    onTurn: (turn) => tellParent({ event: 'turn', turn }),
    onCallEnded: (call) => tellParent({ event: 'callEnded', call }),
  });
  announce(runtime, asJson);
  await signalled;
  await drainUnlessSignalledAgain(runtime);
  tellParent({ event: 'stopped' });
}

function announce(runtime: RunningRuntime, asJson: boolean): void {
  if (asJson) {
    const { listening, sipPort, webPort } = runtime;
    console.log(JSON.stringify({ ready: true, listening, sipPort, webPort }));
  } else {
    for (const line of runtime.listening) console.log(line);
    console.log('ready');
  }
  tellParent({ event: 'ready', sipPort: runtime.sipPort, webPort: runtime.webPort });
}

async function drainUnlessSignalledAgain(runtime: RunningRuntime): Promise<void> {
  const drained = runtime.drain();
  const outcome = await Promise.race([drained.then(() => 'drained'), firstSignal().then(() => 'signal')]);
  if (outcome === 'signal') await runtime.stop();
}

/** Resolves at SIGTERM, SIGINT, or when the parent that listens on IPC goes away. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      process.off('SIGTERM', done).off('SIGINT', done).off('disconnect', done);
      resolve();
    };
    process.on('SIGTERM', done).on('SIGINT', done).on('disconnect', done);
  });
}

function tellParent(message: object): void {
  if (process.connected) process.send?.(message);
}

// One process with every role is what exists; a subset needs the registration control plane.
function assertAllRoles(list: string | undefined): void {
  if (list === undefined) return;
  const asked = new Set(list.split(',').map((role) => role.trim()));
  for (const role of asked) {
    if (!ROLES.includes(role as (typeof ROLES)[number])) {
      throw new WildfireError(
        'USAGE_INVALID',
        `--roles: unknown role "${role}"; roles are ${ROLES.join(', ')}`,
      );
    }
  }
  const missing = ROLES.filter((role) => !asked.has(role));
  if (missing.length > 0) {
    throw new WildfireError(
      'USAGE_INVALID',
      `--roles: this version runs all roles in one process; ${missing.join(', ')} cannot run elsewhere yet`,
    );
  }
}
