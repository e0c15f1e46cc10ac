/**
 * Two user agents in one process call each other over loopback: answer, late offer, hold, refuse, cancel, hang
 * up from either side, and nothing left afterwards but absorbing transactions.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { type IncomingInvite, SipUserAgent } from '../../src/sip/user-agent.ts';

const OFFER =
  'v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const ANSWER = OFFER.replace('4000', '4002');

const agents: SipUserAgent[] = [];

async function startAgent(
  onInvite: (invite: IncomingInvite) => void = () => undefined,
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

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
});

describe('a call between two user agents', () => {
  it('rings, is answered, and is hung up by the caller', async () => {
    let invite: IncomingInvite | undefined;
    const ended: string[] = [];
    const callee = await startAgent((incoming) => {
      invite = incoming;
      incoming.ring();
      void incoming.accept(ANSWER).then(({ dialog, answerSdp }) => {
        expect(answerSdp).toBeNull();
        dialog.onBye(() => ended.push('bye'));
        dialog.onEnded((end) => ended.push(end));
      });
    });
    const caller = await startAgent();
    const call = caller.call(`sip:+441234@127.0.0.1:${callee.port}`, OFFER, { fromUser: 'alice' });
    const statuses: number[] = [];
    call.onProgress((status) => statuses.push(status));
    const { answerSdp, dialog, postDialDelayMs } = await call.answered;
    expect(answerSdp).toBe(ANSWER);
    expect(statuses).toContain(180);
    expect(postDialDelayMs).toBeGreaterThan(0);
    expect(invite).toMatchObject({
      toUser: '+441234',
      fromUser: 'alice',
      localAddress: '127.0.0.1',
      offer: OFFER,
    });
    expect(callee.openDialogs).toBe(1);
    await dialog.bye();
    expect(ended).toEqual(['bye', 'remoteBye']);
    expect([callee.openDialogs, caller.openDialogs]).toEqual([0, 0]);
  });

  it('is hung up by the callee', async () => {
    const callee = await startAgent((incoming) => {
      void incoming.accept(ANSWER).then(({ dialog }) => dialog.bye('SIP;cause=200;text="done"'));
    });
    const caller = await startAgent();
    const { dialog } = await caller.call(`sip:x@127.0.0.1:${callee.port}`, OFFER).answered;
    const end = await new Promise((resolve) => dialog.onEnded(resolve));
    expect(end).toBe('remoteBye');
  });

  it('is refused with the status the owner chose', async () => {
    const callee = await startAgent((incoming) => incoming.reject(486, 'Busy', ['Retry-After: 7']));
    const caller = await startAgent();
    await expect(caller.call(`sip:x@127.0.0.1:${callee.port}`, OFFER).answered).rejects.toMatchObject({
      code: 'SIP_REJECTED',
      context: { status: 486 },
    });
  });

  it('is cancelled while it rings', async () => {
    const cancelled = Promise.withResolvers<void>();
    const callee = await startAgent((incoming) => {
      incoming.ring();
      incoming.onCancel(() => {
        incoming.accept(ANSWER).catch((error: { code: string }) => {
          expect(error.code).toBe('SIP_REJECTED');
          cancelled.resolve();
        });
      });
    });
    const caller = await startAgent();
    const call = caller.call(`sip:x@127.0.0.1:${callee.port}`, OFFER);
    call.onProgress((status) => {
      if (status === 180) call.cancel();
    });
    await expect(call.answered).rejects.toMatchObject({ context: { status: 487 } });
    await cancelled.promise;
  });

  it('takes a re-INVITE from either side and goes on when one is refused', async () => {
    let calleeDialog: { reinvite(sdp: string): Promise<string> } | undefined;
    const acked = Promise.withResolvers<void>();
    const callee = await startAgent((incoming) => {
      void incoming.accept(ANSWER).then(({ dialog }) => {
        calleeDialog = dialog;
        dialog.onReinvite((offer) => (offer === 'hold' ? { answer: 'held' } : { reject: 488 }));
        acked.resolve();
      });
    });
    const caller = await startAgent();
    const { dialog } = await caller.call(`sip:x@127.0.0.1:${callee.port}`, OFFER).answered;
    await acked.promise;
    dialog.onReinvite(() => ({ answer: 'ours' }));
    expect(await dialog.reinvite('hold')).toBe('held');
    await expect(dialog.reinvite('odd')).rejects.toMatchObject({ context: { status: 488 } });
    expect(await calleeDialog?.reinvite('x')).toBe('ours');
    await dialog.bye();
  });

  it('is refused with 503 while draining, and a second agent on the port is told which port', async () => {
    const callee = await startAgent();
    callee.setUnavailable({ reason: 'draining', retryAfterS: 30 });
    const caller = await startAgent();
    await expect(caller.call(`sip:x@127.0.0.1:${callee.port}`, OFFER).answered).rejects.toMatchObject({
      context: { status: 503 },
    });
    await expect(
      SipUserAgent.start({
        bindAddress: '127.0.0.1',
        port: callee.port,
        userAgentName: 'x',
        onInvite: () => undefined,
      }),
    ).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${callee.port}`),
    });
  });
});
