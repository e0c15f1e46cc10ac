/**
 * sip.call: CPU of whole calls (INVITE, 180, 200, ACK, BYE, 200) between two user agents in this process over loopback,
 * so both sides are in the figure, against the same with sip.js's own parser in place of ours (its transport cannot do
 * UDP at all, so ours carries both). Also the memory kept per finished call: transactions absorb retransmissions for 32 s.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Grammar } from 'sip.js/lib/core/index.js';
import { answerOffer, makeOffer } from '../../src/sdp/negotiation.ts';
import { applySipJsPatches } from '../../src/sip/sip-js-patches.ts';
import { SipUserAgent } from '../../src/sip/user-agent.ts';
import { against, type BenchOptions, type BenchResult, figure, quantiles } from '../bench-row.ts';

const CALLS_PER_ROUND = 200;
const ROUNDS = 4;
const AT_ONCE = 20;
const HOST = '127.0.0.1';

/** For bench/main.ts. */
export async function benchRows({ limit }: BenchOptions): Promise<BenchResult> {
  const shippedParse = Grammar.parse;
  applySipJsPatches();
  const ourParse = Grammar.parse;
  const agents = { callee: await startAgent(), caller: await startAgent() };
  const collect = collector();
  await placeCalls(agents, CALLS_PER_ROUND);
  const [ours, theirs, kept]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < (limit ?? ROUNDS); round++) {
    collect();
    const heapBytes = process.memoryUsage().heapUsed;
    ours.push(await cpuMsPerCall(agents));
    collect();
    kept.push((process.memoryUsage().heapUsed - heapBytes) / CALLS_PER_ROUND / 1024);
    Grammar.parse = shippedParse;
    theirs.push(await cpuMsPerCall(agents));
    Grammar.parse = ourParse;
  }
  await Promise.all([agents.callee.close(), agents.caller.close()]);
  const own = quantiles('sip.call', 'ms', ours, { callsPerRound: CALLS_PER_ROUND });
  const peer = { name: 'sip.js', p50: quantiles('sip.js', 'ms', theirs).p50 };
  return {
    rows: [against(own, peer), figure('sip.call.memory', 'KiB', quantiles('memory', 'KiB', kept).p50)],
  };
}

interface Agents {
  readonly callee: SipUserAgent;
  readonly caller: SipUserAgent;
}

function startAgent(): Promise<SipUserAgent> {
  return SipUserAgent.start({
    bindAddress: HOST,
    port: 0,
    userAgentName: 'bench',
    onInvite: (invite) => {
      const answer = answerOffer(invite.offer ?? '', { address: invite.advertisedAddress, port: 40_000 });
      if ('reject' in answer) return invite.reject(answer.reject);
      invite.ring();
      invite.accept(answer.answer).catch(() => undefined);
    },
  });
}

async function cpuMsPerCall(agents: Agents): Promise<number> {
  const before = process.cpuUsage();
  await placeCalls(agents, CALLS_PER_ROUND);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / CALLS_PER_ROUND;
}

async function placeCalls({ callee, caller }: Agents, calls: number): Promise<void> {
  let left = calls;
  const uri = `sip:bench@${HOST}:${callee.port}`;
  const offer = makeOffer({ address: HOST, port: 40_002 });
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const { dialog } = await caller.call(uri, offer).answered;
        await dialog.bye();
      }
    }),
  );
}

/** The garbage collector, which a process that was not told so at its start does not show. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
