/**
 * sip.call: CPU of whole calls (INVITE, 180, 200, ACK, BYE, 200) between two user agents in this process over
 * loopback, so both sides are in the figure; and memory kept per finished call (transactions absorb
 * retransmissions for 32 s). Run: node bench/sip/call.bench.ts
 */
import { answerOffer, makeOffer } from '../../src/sdp/negotiation.ts';
import { SipUserAgent } from '../../src/sip/user-agent.ts';

const CALLS_PER_ROUND = 500;
const ROUNDS = 4;
const AT_ONCE = 20;

const callee = await SipUserAgent.start({
  bindAddress: '127.0.0.1',
  port: 0,
  userAgentName: 'bench',
  onInvite: (invite) => {
    const answer = answerOffer(invite.offer ?? '', { address: invite.advertisedAddress, port: 40_000 });
    if ('reject' in answer) return invite.reject(answer.reject);
    invite.ring();
    invite.accept(answer.answer).catch(() => undefined);
  },
});
const caller = await SipUserAgent.start({
  bindAddress: '127.0.0.1',
  port: 0,
  userAgentName: 'bench',
  onInvite: (invite) => invite.reject(486),
});

const rows = [];
for (let round = 0; round < ROUNDS; round++) {
  globalThis.gc?.();
  const heapBytes = process.memoryUsage().heapUsed;
  const cpu = process.cpuUsage();
  const startedAtMs = performance.now();
  await placeCalls();
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - startedAtMs;
  globalThis.gc?.();
  rows.push({
    'CPU ms per call, both sides': ((user + system) / 1000 / CALLS_PER_ROUND).toFixed(2),
    'calls per second': Math.round((CALLS_PER_ROUND / wallMs) * 1000),
    'heap kB kept per call': ((process.memoryUsage().heapUsed - heapBytes) / CALLS_PER_ROUND / 1000).toFixed(
      1,
    ),
  });
}
console.table(rows);
console.log(callee.counters());
await Promise.all([callee.close(), caller.close()]);

async function placeCalls(): Promise<void> {
  let left = CALLS_PER_ROUND;
  const uri = `sip:bench@127.0.0.1:${callee.port}`;
  const offer = makeOffer({ address: '127.0.0.1', port: 40_002 });
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const { dialog } = await caller.call(uri, offer).answered;
        await dialog.bye();
      }
    }),
  );
}
