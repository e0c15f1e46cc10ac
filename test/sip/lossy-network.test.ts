/** Real sockets and timers (T1 shortened), with a network that loses, doubles and delays messages both ways. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setTimerBase, T1_MS } from '../../src/sip/sip-js-patches.ts';
import { UdpTransport } from '../../src/sip/udp-transport.ts';
import { SipUserAgent } from '../../src/sip/user-agent.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { SDP } from './sip-text.ts';

const CALLS = 40;
const FAST_T1_MS = 40;
/** Far above what transactions take, 64 times T1 each. */
const LIMIT_MS = 15_000;
/**
 * An INVITE has seven tries (RFC 3261 section 17.1.1.2) and at a loss of 30 % one in 4,572 loses them all: chance alone
 * would fail this test once in a hundred runs. After four losses in a row the fifth copy passes, 15 T1 after the
 * first, so that a call that fails here has failed by our doing.
 */
const MOST_LOST_IN_A_ROW = 4;

let agents: SipUserAgent[] = [];

beforeEach(() => {
  agents = [];
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  vi.restoreAllMocks();
  setTimerBase(T1_MS);
});

/** From now on a message is lost (no message more than MOST_LOST_IN_A_ROW times in a row), doubled or delayed. */
function spoilNetwork(loss: number, random: SeededRandom): void {
  const sendTo = UdpTransport.prototype.sendTo;
  const lostInARow = new Map<string, number>();
  const isLost = (text: string): boolean => {
    const message = identity(text);
    const lost = lostInARow.get(message) ?? 0;
    const isLostAgain = lost < MOST_LOST_IN_A_ROW && random.isTrue(loss);
    lostInARow.set(message, isLostAgain ? lost + 1 : 0);
    return isLostAgain;
  };
  vi.spyOn(UdpTransport.prototype, 'sendTo').mockImplementation(function (this: UdpTransport, text, to) {
    if (isLost(text)) return;
    if (random.isTrue(0.1)) sendTo.call(this, text, to);
    if (random.isTrue(0.1)) setTimeout(() => sendTo.call(this, text, to), random.integer(1, 30));
    else sendTo.call(this, text, to);
  });
}

/** Equal for the copies of one message: its start line, call and CSeq. */
function identity(text: string): string {
  const callId = /^(?:Call-ID|i):\s*(.+)$/im.exec(text)?.[1];
  const cseq = /^CSeq:\s*(.+)$/im.exec(text)?.[1];
  return `${text.slice(0, text.indexOf('\r\n'))} ${callId} ${cseq}`;
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
    // A BYE that got no answer is no failure.
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [String(result.reason)] : [],
    );
    expect(failures).toEqual([]);
    expect(offered).toBe(CALLS);
    await vi.waitFor(() => expect([callee.openDialogs, caller.openDialogs]).toEqual([0, 0]), LIMIT_MS);
    const left = (): number => callee.pendingTransactions + caller.pendingTransactions;
    await vi.waitFor(() => expect(left()).toBe(0), LIMIT_MS);
  });
});
