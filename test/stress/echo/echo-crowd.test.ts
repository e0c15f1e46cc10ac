/** Echo calls against a callee of the test's own: a call that breaks is a result with its reason, and hurts no other. */
import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { makeOffer } from '../../../src/sdp/negotiation.ts';
import { type IncomingInvite, SipUserAgent } from '../../../src/sip/user-agent.ts';
import { runEchoCrowd } from '../../../src/stress/echo/echo-crowd.ts';

const LOOPBACK = '127.0.0.1';
const CALLS = 5;

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A UDP port that sends everything back. */
function echoPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
  closers.push(() => new Promise((resolve) => socket.close(resolve)));
  return new Promise((resolve) => socket.bind(0, LOOPBACK, () => resolve(socket.address().port)));
}

/** Answers each call with an echo; `onInvite` may do something else with a call. */
async function startCallee(onInvite: (invite: IncomingInvite, number: number) => boolean): Promise<string> {
  const sdp = makeOffer({ address: LOOPBACK, port: await echoPort() });
  let calls = 0;
  const userAgent = await SipUserAgent.start({
    bindAddress: LOOPBACK,
    port: 0,
    userAgentName: 'callee',
    onInvite: (invite) => {
      calls += 1;
      if (!onInvite(invite, calls)) void invite.accept(sdp);
    },
  });
  closers.push(() => userAgent.close());
  return `sip:x@${LOOPBACK}:${userAgent.port}`;
}

describe('a crowd of echo calls', () => {
  it('goes on when a call is refused or its answer names an address that cannot be connected', async () => {
    const ended: Promise<string>[] = [];
    const unreachable = makeOffer({ address: '203.0.113.1', port: 4000 }); // RFC 5737; from loopback it is not to be had
    const targetUri = await startCallee((invite, number) => {
      if (number === 1) invite.reject(486);
      else if (number === 2) {
        const accepted = invite.accept(unreachable);
        ended.push(accepted.then(({ dialog }) => new Promise((resolve) => dialog.onEnded(resolve))));
      }
      return number <= 2;
    });
    const options = { targetUri, calls: CALLS, concurrent: 1, callsPerS: 50, callLengthMs: 200 };
    const { calls, lines } = await runEchoCrowd(options);
    expect(calls.map(({ isCompleted }) => isCompleted)).toEqual([false, false, true, true, true]);
    const [refused, unconnected, ...whole] = calls;
    expect(refused).toMatchObject({ isEstablished: false, why: expect.stringMatching(/486/), echo: null });
    expect(unconnected).toMatchObject({
      isEstablished: true,
      why: expect.stringMatching(/no audio can be sent to 203\.0\.113\.1: connect E/),
      echo: { sent: 0, received: 0 },
    });
    expect(await Promise.all(ended)).toEqual(['remoteBye']);
    for (const call of whole) expect(call.why).toBe('every packet came back');
    expect(lines.sent).toBe(whole.reduce((sum, { echo }) => sum + (echo?.sent ?? 0), 0));
  });
});
