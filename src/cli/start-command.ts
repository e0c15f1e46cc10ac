/**
 * `wildfire start`: the runtime until a signal. First SIGTERM or SIGINT drains, the second ends now. When a parent
 * process listens on the IPC channel it receives every turn and call report (docs/cli.md, "Events").
 */
import { Command } from 'commander';
import type { Config } from '../config/schema.ts';
import { dialledPorts, ROLES, type Role } from '../control-plane/routes.ts';
import { WildfireError } from '../errors.ts';
import { type ConfigOptions, configOf, withConfigOptions } from './config-options.ts';
import type { RunningRuntime, RuntimeStarter } from './runtime-starter.ts';

interface StartOptions extends ConfigOptions {
  readonly roles?: string;
  readonly json?: boolean;
}

export function startCommand(startRuntime: RuntimeStarter): Command {
  return withConfigOptions(new Command('start'))
    .description('run the runtime: answer calls until a signal')
    .option('--roles <list>', `roles of this process: any of ${ROLES.join(',')} (default: all)`)
    .option('--json', 'print the listening addresses as one JSON document')
    .action((options: StartOptions) => run(startRuntime, options));
}

async function run(startRuntime: RuntimeStarter, options: StartOptions): Promise<void> {
  const roles = rolesOf(options.roles);
  const config = configOf(options);
  if (options.roles !== undefined) checkEcho(config, roles);
  checkPorts(config, roles);
  // It may have died while this process was loading: then no event will tell.
  if (process.send !== undefined && !process.connected) return;
  try {
    const onReady = (runtime: RunningRuntime): void => announce(runtime, options.json === true);
    await runUntilSignalled(startRuntime, config, { roles, onReady });
  } finally {
    // A parent that listens would keep this process up.
    if (process.connected) process.disconnect();
  }
}

async function runUntilSignalled(
  startRuntime: RuntimeStarter,
  config: Config,
  { roles, onReady }: { roles: ReadonlySet<Role>; onReady: (runtime: RunningRuntime) => void },
): Promise<void> {
  const signalled = firstSignal();
  const runtime = await startRuntime(config, {
    roles,
    onTurn: (turn) => tellParent({ event: 'turn', turn }),
    onCallEnded: (call) => tellParent({ event: 'callEnded', call }),
  });
  onReady(runtime);
  await signalled;
  await drainUnlessSignalledAgain(runtime);
  tellParent({ event: 'stopped' });
}

function announce(runtime: RunningRuntime, asJson: boolean): void {
  if (asJson) {
    const { listening, sipPort, webPort, controlPorts: control } = runtime;
    console.log(JSON.stringify({ ready: true, listening, sipPort, webPort, control }));
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

/** @throws WildfireError USAGE_INVALID when an echo is to serve what only models can */
function checkEcho({ agent }: Config, roles: ReadonlySet<Role>): void {
  if (agent.mode !== 'echo' || (roles.has('sip') && roles.size === 1)) return;
  throw new WildfireError(
    'USAGE_INVALID',
    `--roles ${[...roles].join(',')}: agent.mode = "echo" answers calls without models and so can only be the role sip; ` +
      'leave --roles out, or set agent.mode to "conversation"',
  );
}

/** @throws WildfireError CONFIG_INVALID when a port is to be free here that another process has to be found at */
function checkPorts({ agent, control }: Config, roles: ReadonlySet<Role>): void {
  if (agent.mode === 'echo') return;
  const unknown = dialledPorts(roles, control.listen).filter((port) => control[port] === 0);
  if (unknown.length === 0) return;
  const lines = unknown.map(
    (port) => `control.${port}: 0 finds nobody; set the port that the other process listens on`,
  );
  throw new WildfireError('CONFIG_INVALID', lines.join('\n'));
}

/** @throws WildfireError USAGE_INVALID naming a role that is none */
function rolesOf(list: string | undefined): ReadonlySet<Role> {
  const asked = list?.split(',').map((role) => role.trim()) ?? ROLES;
  for (const role of asked) {
    if (!(ROLES as readonly string[]).includes(role)) {
      throw new WildfireError(
        'USAGE_INVALID',
        `--roles: unknown role "${role}"; roles are ${ROLES.join(', ')}`,
      );
    }
  }
  return new Set(asked as Role[]);
}
