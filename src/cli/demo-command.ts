/**
 * `wildfire demo`: a runtime on free loopback ports in a process of its own, and the built-in caller in this one,
 * which dials it over real SIP and RTP and holds a demo conversation.
 */
import { Command } from 'commander';
import { type CallResult, joinViews } from '../caller/call-result.ts';
import { type CallerEngines, startCallerEngines } from '../caller/caller-engines.ts';
import { planShowcase } from '../caller/caller-plan.ts';
import type { LiveCaller } from '../caller/live-caller.ts';
import type { PlacedCall } from '../caller/place-call.ts';
import type { ModelPack } from '../models/pack.ts';
import { chooseCaller, loadBothPacks } from './caller-choice.ts';
import { type ConfigOptions, configOf, wholeNumber, withConfigOptions } from './config-options.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import { deliver, holdLiveCall } from './live-call.ts';
import { prepareFolder } from './output-folder.ts';
import type { Exit } from './program.ts';
import { LOOPBACK, loopbackSettings, RuntimeProcess } from './runtime-process.ts';

interface DemoOptions extends ConfigOptions {
  readonly out?: string;
  readonly seed: number;
  readonly script?: string;
  readonly store?: string;
  readonly json?: boolean;
}

export function demoCommand(exit: Exit): Command {
  return withConfigOptions(new Command('demo'))
    .description('hold a whole conversation between the built-in caller and the runtime over loopback')
    .option('--out <dir>', 'write the recording, the timeline and a page with the waterfalls')
    .option('--seed <n>', "draws the conversation's details", wholeNumber(0), 1)
    .option('--script <file>', "a caller script instead of a caller drawn from the callers' grammar")
    .option('--store <file>', 'keep the call and its turns in this database')
    .option('--json', 'print one JSON document')
    .action(async (options: DemoOptions) => exit(await run(options)));
}

async function run(options: DemoOptions): Promise<number> {
  const config = configOf(options);
  const pack = await loadBothPacks(config);
  const { seed } = options;
  const makeCaller = chooseCaller(pack, options, (grammar) =>
    planShowcase({ grammar, seed, phrasing: 'trained' }),
  );
  if (options.out !== undefined) prepareFolder(options.out);
  console.error('wildfire: starting the runtime and the caller on loopback ...');
  const [runtime, engines] = await startBoth(options, pack);
  try {
    const { result, placed } = await converse(runtime, await makeCaller(engines), engines);
    return report(result, placed, options);
  } finally {
    await Promise.all([runtime.stop(), engines.close()]);
  }
}

/** Both load their models at once; when one fails the other is stopped. */
async function startBoth(options: DemoOptions, pack: ModelPack): Promise<[RuntimeProcess, CallerEngines]> {
  const [runtime, engines] = await Promise.allSettled([
    RuntimeProcess.start([...loopbackSettings(configOf(options), options.store), 'web.enabled=false']),
    startCallerEngines(pack),
  ]);
  if (runtime.status === 'fulfilled' && engines.status === 'fulfilled') return [runtime.value, engines.value];
  if (runtime.status === 'fulfilled') await runtime.value.stop();
  if (engines.status === 'fulfilled') await engines.value.close();
  throw runtime.status === 'rejected' ? runtime.reason : (engines as PromiseRejectedResult).reason;
}

async function converse(
  runtime: RuntimeProcess,
  caller: LiveCaller,
  { transcribe }: CallerEngines,
): Promise<{ result: CallResult; placed: PlacedCall }> {
  const uri = `sip:demo@${LOOPBACK}:${runtime.sipPort}`;
  const placed = await holdLiveCall({ uri, localAddress: LOOPBACK, caller, transcribe });
  await runtime.callsEnded(1);
  return { result: joinViews(placed, { turns: runtime.turns, call: runtime.calls[0] ?? null }), placed };
}

function report(result: CallResult, placed: PlacedCall, options: DemoOptions): number {
  const ledgerIsEmpty = result.ledger !== null && Object.values(result.ledger).every((count) => count === 0);
  const ok = result.goalsMet && result.rtp.underrunFrames === 0 && ledgerIsEmpty;
  deliver(ok, result, placed, options);
  return ok ? EXIT_OK : EXIT_BAD_RESULT;
}
