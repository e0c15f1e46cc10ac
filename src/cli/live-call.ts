/** What `call` and `demo` share: one call of the built-in caller, printed as it happens, and what is left of it. */
import type { CallResult } from '../caller/call-result.ts';
import type { CallerEngines } from '../caller/caller-engines.ts';
import { type PlacedCall, placeCall } from '../caller/place-call.ts';
import type { CallerScript } from '../caller/script.ts';
import { SipUserAgent } from '../sip/user-agent.ts';
import { printCall, printStep } from './call-printer.ts';
import { writeConversation } from './conversation-output.ts';

/** The caller speaks with a man's voice, the agent with the pack's own. */
export const CALLER_VOICE = 'am_michael';

export interface LiveCallPlan {
  readonly uri: string;
  /** Own address, on the interface towards the callee. */
  readonly localAddress: string;
  readonly script: CallerScript;
  readonly engines: CallerEngines;
  /** Speech at 8 kHz that is played instead of what the script says; null to speak the script. */
  readonly recording: Int16Array | null;
}

/** Dials with a user agent of its own and holds the conversation; the dialogue goes to stderr as it happens. */
export async function holdLiveCall(plan: LiveCallPlan): Promise<PlacedCall> {
  const { uri, localAddress, script, engines, recording } = plan;
  const userAgent = await SipUserAgent.start({
    bindAddress: localAddress,
    port: 0,
    userAgentName: 'Wildfire caller',
    onInvite: (invite) => invite.reject(486),
  });
  try {
    const parts = {
      transcribe: (samples: Int16Array, rateHz: number) => engines.transcribe(samples, rateHz),
      render: async (text: string) => recording ?? (await engines.render(text)),
      onGreeting: (text: string) => console.error(`  agent  "${text}"`),
      onStep: printStep,
    };
    return await placeCall({ userAgent, uri, localAddress, script, parts });
  } finally {
    await userAgent.close();
  }
}

export interface DeliveryOptions {
  readonly out?: string;
  readonly json?: boolean;
}

/** Writes the files of --out and prints the result for a person or, with --json, for a script. */
export function deliver(ok: boolean, result: CallResult, placed: PlacedCall, options: DeliveryOptions): void {
  const written = options.out === undefined ? [] : writeConversation(options.out, result, placed);
  for (const path of written) console.error(`wildfire: wrote ${path}`);
  if (options.json === true) console.log(JSON.stringify({ ok, calls: [result] }, null, 2));
  else printCall(result);
}
