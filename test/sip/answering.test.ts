/** The answering side, message by message: races, repetitions, re-INVITEs, limits, owners that throw. */
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_PENDING_INVITES_PER_SOURCE } from '../../src/sip/limits.ts';
import type { IncomingInvite } from '../../src/sip/user-agent.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { headerOf, requestText, SDP } from './sip-text.ts';

let peer: ScriptedPeer;

afterEach(() => peer.stop());

async function start(onInvite: (invite: IncomingInvite) => void = () => undefined): Promise<void> {
  peer = await ScriptedPeer.start({ onInvite });
}

/** An INVITE, its 200 and its ACK. @returns the agent's tag. */
async function establish(onInvite?: (invite: IncomingInvite) => void): Promise<string> {
  await start((invite) => {
    void invite.accept(SDP).catch(() => undefined);
    onInvite?.(invite);
  });
  peer.send({ callId: 'c', branch: 'invite' });
  const toTag = peer.agentTag;
  peer.send({ method: 'ACK', callId: 'c', branch: 'ack', toTag });
  await peer.wait(0);
  peer.takeSent();
  return toTag;
}

describe('an INVITE', () => {
  it('that comes again while it rings gets the 180 again and reaches the owner once', async () => {
    await start((invite) => invite.ring());
    peer.send({ callId: 'c', branch: 'b' });
    peer.send({ callId: 'c', branch: 'b' });
    expect(peer.takeSent()).toEqual(['180 INVITE', '100 INVITE', '100 INVITE']);
    expect(peer.invites).toHaveLength(1);
  });

  it('that comes by a second branch is merged: 482', async () => {
    await start();
    peer.send({ callId: 'c', branch: 'b1' });
    peer.send({ callId: 'c', branch: 'b2' });
    expect(peer.takeSent()).toEqual(['100 INVITE', '482 INVITE']);
  });

  it('with the branch of another client is another transaction', async () => {
    await start();
    peer.send({ callId: 'c1', branch: 'b' });
    const via = 'Via: SIP/2.0/UDP 127.0.0.2:5099;branch=z9hG4bK-b;rport';
    peer.send({ callId: 'c2', replace: { Via: via } });
    expect(peer.invites).toHaveLength(2);
  });

  it('for which the owner throws gets 500, and the next call is not harmed', async () => {
    await start((invite) => {
      if (invite.sipCallId === 'bad') throw new Error('bug');
      invite.ring();
    });
    peer.send({ callId: 'bad' });
    peer.send({ callId: 'good' });
    expect(peer.takeSent()).toEqual(['500 INVITE', '180 INVITE', '100 INVITE']);
    expect(peer.agent.counters()['failed.invite_handler']).toBe(1);
  });

  it('is answered with our address in Contact, and Record-Route as it came', async () => {
    await start((invite) => void invite.accept(SDP).catch(() => undefined));
    peer.send({ add: ['Record-Route: <sip:p1.example.com;lr>', 'Record-Route: <sip:p2.example.com;lr>'] });
    const text = peer.sent.find((message) => message.text.startsWith('SIP/2.0 200'))?.text ?? '';
    expect(headerOf(text, 'Contact')).toMatch(/^<sip:wildfire@wf[0-9a-f]+\.invalid>$/); // put in by sendTo
    expect(text.match(/^Record-Route: <sip:p\d/gm)).toEqual([
      'Record-Route: <sip:p1',
      'Record-Route: <sip:p2',
    ]);
    expect(headerOf(text, 'Allow')).toContain('INVITE');
  });

  it('beyond what one source may leave unanswered gets 503 with Retry-After', async () => {
    await start();
    for (let count = 0; count < MAX_PENDING_INVITES_PER_SOURCE; count++) peer.send({});
    peer.takeSent();
    peer.send({});
    expect(headerOf(peer.last, 'Retry-After')).toBe('5');
    expect(peer.takeSent()).toEqual(['503 INVITE']);
    peer.agent.receive(Buffer.from(requestText()), { address: '127.0.0.2', port: 5099 });
    expect(peer.takeSent()).toEqual(['100 INVITE']); // another source is served
    peer.invites[0]?.reject(486);
    peer.send({});
    expect(peer.invites).toHaveLength(MAX_PENDING_INVITES_PER_SOURCE + 2);
  });

  it.each(['starting', 'draining'] as const)(
    'gets 503 while %s, OPTIONS too, and calls that stand go on',
    async (reason) => {
      const toTag = await establish();
      peer.agent.setUnavailable({ reason, retryAfterS: 30 });
      peer.send({});
      expect(headerOf(peer.last, 'Retry-After')).toBe('30');
      peer.send({ method: 'OPTIONS' });
      peer.send({ method: 'BYE', callId: 'c', toTag, cseq: 2 });
      expect(peer.takeSent()).toEqual(['503 INVITE', '503 OPTIONS', '200 BYE']);
      expect(peer.agent.counters()[`refused.${reason}`]).toBe(2);
      peer.agent.setUnavailable(undefined);
      peer.send({ method: 'OPTIONS' });
      expect(peer.takeSent()).toEqual(['200 OPTIONS']);
    },
  );

  it('without offer gets ours, and the answer comes with the ACK', async () => {
    await start();
    peer.send({ callId: 'c', body: '' });
    expect(peer.invites[0]?.offer).toBeNull();
    const accepted = peer.invites[0]?.accept('our offer');
    expect(peer.last).toContain('our offer');
    peer.send({ method: 'ACK', callId: 'c', branch: 'ack', toTag: peer.agentTag, body: SDP });
    expect((await accepted)?.answerSdp).toBe(SDP);
  });
});

describe('a CANCEL', () => {
  it('before the answer: 200, 487, and the owner knows', async () => {
    await start((invite) => invite.ring());
    let isCancelled = false;
    peer.send({ callId: 'c', branch: 'b' });
    peer.invites[0]?.onCancel(() => {
      isCancelled = true;
    });
    peer.takeSent();
    peer.send({ method: 'CANCEL', callId: 'c', branch: 'b' });
    peer.send({ method: 'CANCEL', callId: 'c', branch: 'b' });
    expect(peer.takeSent()).toEqual(['200 CANCEL', '487 INVITE', '200 CANCEL']);
    expect(isCancelled).toBe(true);
    await expect(peer.invites[0]?.accept(SDP)).rejects.toMatchObject({ code: 'SIP_REJECTED' });
  });

  it('after the 200 changes nothing', async () => {
    await start((invite) => void invite.accept(SDP).catch(() => undefined));
    peer.send({ callId: 'c', branch: 'b' });
    peer.takeSent();
    peer.send({ method: 'CANCEL', callId: 'c', branch: 'b' });
    expect(peer.takeSent()).toEqual(['200 CANCEL']);
    expect(peer.agent.openDialogs).toBe(1);
  });
});

describe('a BYE', () => {
  it('in the early dialog ends the INVITE as a CANCEL does', async () => {
    await start((invite) => invite.ring());
    peer.send({ callId: 'c', branch: 'b' });
    const toTag = /;tag=([^;\s]+)/.exec(headerOf(peer.sent[0]?.text ?? '', 'To') ?? '')?.[1] ?? '';
    peer.takeSent();
    peer.send({ method: 'BYE', callId: 'c', toTag, cseq: 2 });
    expect(peer.takeSent()).toEqual(['200 BYE', '487 INVITE']);
  });

  it('before the ACK ends the call and the wait for the ACK', async () => {
    await start();
    peer.send({ callId: 'c', branch: 'b' });
    const failure = expect(peer.invites[0]?.accept(SDP)).rejects.toMatchObject({ code: 'SIP_REJECTED' });
    const toTag = peer.agentTag;
    peer.takeSent();
    peer.send({ method: 'BYE', callId: 'c', toTag, cseq: 2 });
    await failure;
    expect(peer.takeSent()).toEqual(['200 BYE']);
    await peer.wait(40_000);
    expect(peer.takeSent()).toEqual([]);
    expect([peer.agent.openDialogs, peer.agent.pendingTransactions]).toEqual([0, 0]);
  });

  it('of ours waits for the ACK', async () => {
    await start();
    peer.send({ callId: 'c', branch: 'b' });
    void peer.invites[0]?.accept(SDP);
    const toTag = peer.agentTag;
    const bye = peer.invites[0]?.acceptedDialog?.bye('SIP;cause=200');
    peer.takeSent();
    peer.send({ method: 'ACK', callId: 'c', branch: 'ack', toTag });
    await peer.wait(0);
    expect(headerOf(peer.last, 'Reason')).toBe('SIP;cause=200');
    peer.respond('200 OK');
    await bye;
    expect(peer.takeSent()).toEqual(['BYE']);
  });

  it('of both sides at once ends once', async () => {
    const toTag = await establish();
    const ends: string[] = [];
    const dialog = peer.invites[0]?.acceptedDialog;
    dialog?.onEnded((end) => ends.push(end));
    const bye = dialog?.bye();
    await peer.wait(0);
    const ours = peer.last;
    peer.send({ method: 'BYE', callId: 'c', toTag, cseq: 2 });
    peer.respond('481 Call Does Not Exist', { to: ours });
    await bye;
    expect(peer.takeSent()).toEqual(['BYE', '481 BYE']);
    expect(ends).toEqual(['localBye']);
  });

  it('reaches a handler that is set later', async () => {
    const toTag = await establish();
    peer.send({ method: 'BYE', callId: 'c', toTag, cseq: 2 });
    const late = await new Promise((resolve) =>
      peer.invites[0]?.acceptedDialog?.onBye(() => resolve('told')),
    );
    expect(late).toBe('told');
  });
});

describe('within a dialog', () => {
  it('hold and resume are answered by the owner, and the ACK ends the repeating', async () => {
    const toTag = await establish();
    const offers: (string | null)[] = [];
    peer.invites[0]?.acceptedDialog?.onReinvite((offer) => {
      offers.push(offer);
      return { answer: 'held' };
    });
    peer.send({ callId: 'c', toTag, cseq: 2, branch: 'hold', body: 'hold' });
    expect(peer.last).toContain('held');
    expect(headerOf(peer.last, 'Contact')).toContain('sip:wildfire@');
    await peer.wait(600);
    expect(peer.takeSent()).toEqual(['200 INVITE', '200 INVITE']);
    peer.send({ method: 'ACK', callId: 'c', toTag, cseq: 2, branch: 'ack2' });
    await peer.wait(30_000);
    expect(peer.takeSent()).toEqual([]);
    expect(offers).toEqual(['hold']);
  });

  it('a re-INVITE without offer gets ours, and its answer comes with the ACK', async () => {
    const toTag = await establish();
    const answers: (string | null)[] = [];
    const dialog = peer.invites[0]?.acceptedDialog;
    dialog?.onReinvite((offer) => ({ answer: offer === null ? 'ours again' : 'wrong' }));
    dialog?.onLateAnswer((answer) => answers.push(answer));
    peer.send({ callId: 'c', toTag, cseq: 2, body: '' });
    expect(peer.last).toContain('ours again');
    peer.send({ method: 'ACK', callId: 'c', toTag, cseq: 2, branch: 'ack2', body: 'theirs' });
    expect(answers).toEqual(['theirs']);
  });

  it('a re-INVITE that is never acknowledged ends the call', async () => {
    const toTag = await establish();
    peer.invites[0]?.acceptedDialog?.onReinvite(() => ({ answer: 'held' }));
    peer.send({ callId: 'c', toTag, cseq: 2 });
    await peer.wait(31_900);
    peer.takeSent();
    await peer.wait(200);
    expect(peer.takeSent()).toEqual(['BYE']);
    expect(peer.agent.openDialogs).toBe(0);
  });

  it('a second re-INVITE meanwhile gets 500, an old CSeq 500, one without Contact 400', async () => {
    const toTag = await establish();
    peer.invites[0]?.acceptedDialog?.onReinvite(() => ({ answer: 'held' }));
    peer.send({ callId: 'c', toTag, cseq: 5 });
    peer.send({ callId: 'c', toTag, cseq: 6 });
    peer.send({ method: 'BYE', callId: 'c', toTag, cseq: 4 });
    peer.send({ callId: 'c', toTag, cseq: 7, replace: { Contact: null } });
    expect(peer.takeSent()).toEqual(['200 INVITE', '500 INVITE', '500 BYE', '400 INVITE']);
    expect(peer.agent.openDialogs).toBe(1);
  });

  it('a re-INVITE without handler gets 488, one whose handler throws 500', async () => {
    const toTag = await establish();
    peer.send({ callId: 'c', toTag, cseq: 2, branch: 'r1' });
    peer.send({ method: 'ACK', callId: 'c', toTag, cseq: 2, branch: 'r1' });
    peer.invites[0]?.acceptedDialog?.onReinvite(() => {
      throw new Error('bug');
    });
    peer.send({ callId: 'c', toTag, cseq: 3, branch: 'r2' });
    expect(peer.takeSent()).toEqual(['488 INVITE', '500 INVITE']);
    expect(peer.agent.counters()['failed.reinvite']).toBe(1);
  });

  it('our re-INVITE is answered, refused, crossed by theirs, and unknown to a peer that lost the call', async () => {
    const toTag = await establish();
    const dialog = peer.invites[0]?.acceptedDialog;
    const answered = dialog?.reinvite('offer \u00e9');
    await peer.wait(0);
    expect(peer.last).toMatch(/offer \?$/);
    await expect(dialog?.reinvite('at once')).rejects.toMatchObject({ code: 'INVALID_STATE' });
    const ours = peer.last;
    peer.takeSent();
    peer.send({ callId: 'c', toTag, cseq: 2 });
    expect(peer.takeSent()).toEqual(['491 INVITE']);
    peer.respond('200 OK', { to: ours, body: 'answer' });
    expect(await answered).toBe('answer');
    const lost = expect(dialog?.reinvite('again')).rejects.toMatchObject({ context: { status: 481 } });
    await peer.wait(0);
    peer.respond('481 Call Does Not Exist');
    await lost;
    expect(peer.agent.openDialogs).toBe(0);
  });

  it('INFO is answered and handed on; other methods are refused; the call stands', async () => {
    const toTag = await establish();
    const infos: string[] = [];
    peer.invites[0]?.acceptedDialog?.onInfo((type, body) => infos.push(`${type}: ${body}`));
    const info = { 'Content-Type': 'Content-Type: application/dtmf-relay' };
    peer.send({ method: 'INFO', callId: 'c', toTag, cseq: 2, body: 'Signal=5', replace: info });
    for (const method of ['MESSAGE', 'REFER', 'UPDATE', 'NOTIFY', 'PRACK', 'SUBSCRIBE', 'FOO', 'OPTIONS']) {
      peer.send({ method, callId: 'c', toTag, cseq: 3 });
    }
    expect(infos).toEqual(['application/dtmf-relay: Signal=5']);
    expect(peer.takeSent().map((line) => line.slice(0, 3))).toEqual([
      '200',
      '405',
      '405',
      '405',
      '481',
      '481',
      '489',
      '501',
      '200',
    ]);
    expect(peer.agent.openDialogs).toBe(1);
  });

  it('a handler that throws harms nobody', async () => {
    const toTag = await establish();
    const dialog = peer.invites[0]?.acceptedDialog;
    const ends: string[] = [];
    dialog?.onBye(() => {
      throw new Error('bug');
    });
    dialog?.onEnded((end) => ends.push(end));
    peer.send({ method: 'BYE', callId: 'c', toTag, cseq: 2 });
    expect(peer.takeSent()).toEqual(['200 BYE']);
    expect(ends).toEqual(['remoteBye']);
    expect(peer.agent.counters()['failed.ended']).toBe(1);
  });
});

describe('closing the user agent', () => {
  it('refuses waiting INVITEs, ends dialogs for their owners and leaves no timer', async () => {
    const toTag = await establish();
    expect(toTag).not.toBe('');
    const ends: string[] = [];
    peer.invites[0]?.acceptedDialog?.onEnded((end) => ends.push(end));
    const call = peer.agent.call('sip:x@127.0.0.1:5099', SDP);
    await peer.agent.close();
    await expect(call.answered).rejects.toMatchObject({ code: 'SIP_REJECTED' });
    expect(ends).toEqual(['closed']);
    expect(peer.agent.pendingTransactions).toBe(0);
    expect(() => peer.agent.call('sip:x@127.0.0.1', SDP)).toThrow(/closed/);
  });
});
