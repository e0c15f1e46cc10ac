/** Real sockets and timers (T1 shortened), with a network that loses, doubles and delays messages both ways. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setTimerBase, T1_MS } from '../../src/sip/sip-js-patches.ts';
import { UdpTransport } from '../../src/sip/udp-transport.ts';
import { SipUserAgent } from '../../src/sip/user-agent.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { SDP } from './sip-text.ts';

const CALLS = 40;
const FAST_T1_MS = 40;

let agents: SipUserAgent[] = [];

beforeEach(() => {
  agents = [];
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  vi.restoreAllMocks();
  setTimerBase(T1_MS);
});

/** From now on a message is lost, doubled or delayed with these probabilities. */
function spoilNetwork(loss: number, random: SeededRandom): void {
  const sendTo = UdpTransport.prototype.sendTo;
  vi.spyOn(UdpTransport.prototype, 'sendTo').mockImplementation(function (this: UdpTransport, text, to) {
    if (random.isTrue(loss)) return;
    if (random.isTrue(0.1)) sendTo.call(this, text, to);
    if (random.isTrue(0.1)) setTimeout(() => sendTo.call(this, text, to), random.integer(1, 30));
    else sendTo.call(this, text, to);
  });
}

async function startAgent(
  onInvite: Parameters<typeof SipUserAgent.start>[0]['onInvite'],
): Promise<SipUserAgent> {
  const agent = await SipUserAgent.start({
    bindAddress: '127.0.0.1',
    port: 0,
    userAgentName: 'test',
    onInvite,
  });
  agents.push(agent);
  return agent;
}

describe('calls over a network that loses messages', () => {
  it.each([0.15, 0.3])('complete at a loss of %f, and leave nothing', async (loss) => {
    const random = new SeededRandom(printedSeed('lossy network'));
    let offered = 0;
    const callee = await startAgent((invite) => {
      offered++;
      invite.ring();
      invite.accept(SDP).catch(() => undefined);
    });
    const caller = await startAgent((invite) => invite.reject(486));
    setTimerBase(FAST_T1_MS);
    spoilNetwork(loss, random);
    const results = await Promise.allSettled(
      Array.from({ length: CALLS }, async () => {
        const { dialog } = await caller.call(`sip:x@127.0.0.1:${callee.port}`, SDP).answered;
        await dialog.bye();
      }),
    );
    const failed = results.filter(({ status }) => status === 'rejected').length;
    // At 30 % one INVITE in 60,000 finds all seven tries lost; a BYE that got no answer is no failure.
    expect(failed).toBe(0);
    expect(offered).toBe(CALLS);
    await vi.waitFor(() => expect([callee.openDialogs, caller.openDialogs]).toEqual([0, 0]), 70 * FAST_T1_MS);
    const left = (): number => callee.pendingTransactions + caller.pendingTransactions;
    await vi.waitFor(() => expect(left()).toBe(0), 140 * FAST_T1_MS);
  });
});
