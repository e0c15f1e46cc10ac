/** What `call` and `demo` share: one call of the built-in caller, printed as it happens, and what is left of it. */
import type { CallResult } from '../caller/call-result.ts';
import type { TranscribeSamples } from '../caller/ear.ts';
import type { LiveCaller } from '../caller/live-caller.ts';
import { type PlacedCall, placeCall } from '../caller/place-call.ts';
import { punctually } from '../caller/punctual.ts';
import { SipUserAgent } from '../sip/user-agent.ts';
import { printCall, printStep } from './call-printer.ts';
import { writeConversation } from './conversation-output.ts';

export interface LiveCallPlan {
  readonly uri: string;
  /** Own address, on the interface towards the callee. */
  readonly localAddress: string;
  readonly caller: LiveCaller;
  readonly transcribe: TranscribeSamples;
}

/** Dials with a user agent of its own and holds the conversation; the dialogue goes to stderr as it happens. */
export async function holdLiveCall(plan: LiveCallPlan): Promise<PlacedCall> {
  const { uri, localAddress, caller, transcribe } = plan;
  const userAgent = await SipUserAgent.start({
    bindAddress: localAddress,
    port: 0,
    userAgentName: 'Wildfire caller',
    onInvite: (invite) => invite.reject(486),
  });
  try {
    const parts = {
      transcribe,
      onGreeting: (text: string) => console.error(`  agent  "${text}"`),
      onStep: printStep,
    };
    return await punctually(() => placeCall({ userAgent, uri, localAddress, caller, parts }));
  } finally {
    await userAgent.close();
  }
}

export interface DeliveryOptions {
  readonly out?: string;
  readonly json?: boolean;
}

/**
 * Prints the result for a person or, with --json, for a script; then writes the files of --out.
 * @throws WildfireError USAGE_INVALID that names the file that could not be written
 */
export function deliver(ok: boolean, result: CallResult, placed: PlacedCall, options: DeliveryOptions): void {
  if (options.json === true) console.log(JSON.stringify({ ok, calls: [result] }, null, 2));
  else printCall(result);
  const written = options.out === undefined ? [] : writeConversation(options.out, result, placed);
  for (const path of written) console.error(`wildfire: wrote ${path}`);
}
