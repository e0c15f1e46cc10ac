/** The calling side, message by message: routing, refusals, CANCEL races, forks, answers that cannot be used. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextHop } from '../../src/sip/udp-transport.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { headerOf, SDP } from './sip-text.ts';

const TARGET = 'sip:x@127.0.0.1:5099';

let peer: ScriptedPeer;

beforeEach(async () => {
  peer = await ScriptedPeer.start();
});

afterEach(() => peer.stop());

describe('a call we place', () => {
  it('goes to the target with what RFC 3261 section 8.1.1 asks for', async () => {
    peer.agent.call(TARGET, SDP, { fromUser: 'alice', extraHeaders: ['Subject: test', 'Bad: a\r\nX: b'] });
    await peer.wait(0);
    expect(peer.sent[0]?.to).toEqual({ address: '127.0.0.1', port: 5099 });
    const text = peer.last;
    expect(text).toMatch(/^INVITE sip:x@127\.0\.0\.1:5099 SIP\/2\.0\r\n/);
    expect(headerOf(text, 'Via')).toMatch(
      /^SIP\/2\.0\/UDP wf[0-9a-f]+\.invalid;branch=z9hG4bK[\w-]{12};rport$/,
    );
    expect(headerOf(text, 'From')).toMatch(/^<sip:alice@wf[0-9a-f]+\.invalid>;tag=[\w-]{16}$/);
    expect(headerOf(text, 'Subject')).toBe('test');
    expect(text).not.toContain('X: b');
    expect(Number(headerOf(text, 'Content-Length'))).toBe(SDP.length);
  });

  it('refuses what is not a SIP address', () => {
    for (const uri of ['bob', 'tel:+44', 'sips:a@b', 'sip:', 'http://x']) {
      expect(() => peer.agent.call(uri, SDP)).toThrowError(
        expect.objectContaining({ code: 'USAGE_INVALID' }),
      );
    }
  });

  it('is refused or redirected: SIP_REJECTED with the status, and the refusal acknowledged', async () => {
    for (const status of ['404 Not Found', '302 Moved', '603 Decline']) {
      const call = peer.agent.call(TARGET, SDP);
      await peer.wait(0);
      peer.respond(status, { toTag: 'b' });
      await expect(call.answered).rejects.toMatchObject({
        code: 'SIP_REJECTED',
        context: { status: Number(status.slice(0, 3)) },
      });
      await peer.wait(0);
      expect(peer.takeSent()).toEqual(['INVITE', 'ACK']);
    }
  });

  it('follows the route that the answer recorded, in reverse', async () => {
    const call = peer.agent.call(TARGET, SDP);
    await peer.wait(0);
    const recorded =
      'Record-Route: <sip:127.0.0.1:6002;lr>\r\nRecord-Route: <sip:127.0.0.1:6001;lr>\r\nAllow: INVITE';
    peer.respond(`200 OK\r\n${recorded}`, { toTag: 'b', body: SDP, contact: '<sip:peer@127.0.0.9:7000>' });
    const { dialog } = await call.answered;
    void dialog.bye();
    await peer.wait(0);
    expect(peer.sent.slice(1).map(({ to }) => to.port)).toEqual([6001, 6001]);
    expect(peer.last).toMatch(/^BYE sip:peer@127\.0\.0\.9:7000 SIP/);
  });

  it('ends when the answer cannot be used (no Contact)', async () => {
    const call = peer.agent.call(TARGET, SDP);
    await peer.wait(0);
    peer.respond('200 OK', { toTag: 'b', body: SDP, contact: null });
    const failure = expect(call.answered).rejects.toMatchObject({ code: 'SIP_TIMEOUT' });
    await peer.wait(33_000);
    await failure;
    expect(peer.agent.pendingTransactions).toBe(0);
  });

  it('hangs up every further branch that answers', async () => {
    const call = peer.agent.call(TARGET, SDP);
    await peer.wait(0);
    const invite = peer.last;
    peer.takeSent();
    peer.respond('200 OK', { to: invite, toTag: 'first', body: SDP });
    peer.respond('200 OK', { to: invite, toTag: 'second', body: SDP });
    await call.answered;
    await peer.wait(0);
    expect(peer.takeSent()).toEqual(['ACK', 'ACK', 'BYE']);
    expect(peer.agent.openDialogs).toBe(1);
  });

  it('ignores responses that are not its own', async () => {
    const call = peer.agent.call(TARGET, SDP);
    await peer.wait(0);
    const guess = peer.last.replace(/branch=[^;]+/, 'branch=z9hG4bK1234567');
    peer.respond('200 OK', { to: guess, toTag: 'evil', body: SDP });
    expect(peer.agent.counters()['dropped.unmatched_response']).toBe(1);
    peer.respond('486 Busy Here', { toTag: 'b' });
    await expect(call.answered).rejects.toMatchObject({ context: { status: 486 } });
  });
});

describe('cancelling', () => {
  it('waits for the first provisional response', async () => {
    const call = peer.agent.call(TARGET, SDP);
    await peer.wait(0);
    const invite = peer.last;
    call.cancel();
    await peer.wait(0);
    expect(peer.takeSent()).toEqual(['INVITE']);
    peer.respond('180 Ringing', { to: invite, toTag: 'b' });
    await peer.wait(0);
    expect(headerOf(peer.last, 'Via')).toBe(headerOf(invite, 'Via'));
    expect(peer.takeSent()).toEqual(['CANCEL']);
    peer.respond('487 Request Terminated', { to: invite, toTag: 'b' });
    await expect(call.answered).rejects.toMatchObject({ context: { status: 487 } });
  });

  it('that the answer crossed: ACK, then BYE', async () => {
    const call = peer.agent.call(TARGET, SDP);
    await peer.wait(0);
    const invite = peer.last;
    peer.respond('100 Trying', { to: invite });
    call.cancel();
    await peer.wait(0);
    peer.respond('200 OK', { to: invite, toTag: 'b', body: SDP });
    await expect(call.answered).rejects.toMatchObject({ code: 'SIP_REJECTED' });
    await peer.wait(0);
    expect(peer.takeSent()).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
    expect(peer.agent.openDialogs).toBe(0);
  });

  it('that nobody answers ends after 64*T1 and leaves nothing', async () => {
    const call = peer.agent.call(TARGET, SDP);
    await peer.wait(0);
    peer.respond('180 Ringing', { toTag: 'b' });
    call.cancel();
    const failure = expect(call.answered).rejects.toMatchObject({ code: 'SIP_REJECTED' });
    await peer.wait(33_000);
    await failure;
    expect(peer.agent.pendingTransactions).toBe(0);
  });
});

describe('the next hop', () => {
  it.each([
    ['BYE sip:a@192.0.2.1:5070;transport=udp SIP/2.0\r\n\r\n', { address: '192.0.2.1', port: 5070 }],
    ['BYE sip:192.0.2.1 SIP/2.0\r\n\r\n', { address: '192.0.2.1', port: 5060 }],
    ['BYE sip:a@[2001:db8::1]:5080 SIP/2.0\r\n\r\n', { address: '2001:db8::1', port: 5080 }],
    [
      'BYE sip:a@b SIP/2.0\r\nRoute: "P" <sip:p.example.com;lr>,<sip:q;lr>\r\n\r\n',
      { address: 'p.example.com', port: 5060 },
    ],
    [
      'BYE sip:a@192.0.2.1 SIP/2.0\r\nX: y\r\n\r\nRoute: <sip:evil>\r\n',
      { address: '192.0.2.1', port: 5060 },
    ],
    ['BYE sip:a@192.0.2.1:0 SIP/2.0\r\n\r\n', undefined],
    ['BYE tel:+44 SIP/2.0\r\n\r\n', undefined],
  ])('of %j', (request, hop) => {
    expect(nextHop(request)).toEqual(hop);
  });
});
