/** RFC 3261 timers on an unreliable transport (table 4), each by what is sent when; the clock is fake. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedPeer } from './scripted-peer.ts';
import { SDP } from './sip-text.ts';

let peer: ScriptedPeer;

beforeEach(async () => {
  peer = await ScriptedPeer.start();
});

afterEach(() => peer.stop());

/** Seconds at which the agent sent something, within `durationS`, in steps of 0.1 s. */
async function sendTimesS(durationS: number): Promise<number[]> {
  const times: number[] = [];
  for (let tick = 0; tick <= durationS * 10; tick++) {
    times.push(...peer.takeSent().map(() => tick / 10));
    await peer.wait(100);
  }
  return times;
}

/** @returns the agent's tag. */
async function answeredDialog(): Promise<string> {
  peer.send({ callId: 'c', branch: 'invite' });
  void peer.invites[0]?.accept(SDP).catch(() => undefined);
  const toTag = peer.agentTag;
  peer.send({ method: 'ACK', callId: 'c', branch: 'ack', toTag });
  await peer.wait(0);
  peer.takeSent();
  return toTag;
}

describe('a request we send', () => {
  it('A, B: an INVITE doubles its interval and gives up after 64*T1', async () => {
    const call = peer.agent.call('sip:x@127.0.0.1:5099', SDP);
    await peer.wait(0);
    expect(await sendTimesS(31.9)).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
    await peer.wait(1000);
    await expect(call.answered).rejects.toMatchObject({ code: 'SIP_TIMEOUT' });
    expect(peer.agent.pendingTransactions).toBe(0);
  });

  it('A stops at the first provisional response', async () => {
    peer.agent.call('sip:x@127.0.0.1:5099', SDP);
    await peer.wait(600);
    peer.respond('100 Trying');
    peer.takeSent();
    expect(await sendTimesS(20)).toEqual([]);
  });

  it('E, F: a BYE doubles up to T2 and gives up after 64*T1', async () => {
    await answeredDialog();
    const bye = peer.invites[0]?.acceptedDialog?.bye();
    await peer.wait(0);
    expect(await sendTimesS(31.9)).toEqual([0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]);
    await peer.wait(1000);
    await bye;
    expect(peer.agent.openDialogs).toBe(0);
  });

  it('E continues at T2 while proceeding, and K absorbs a late second answer', async () => {
    await answeredDialog();
    void peer.invites[0]?.acceptedDialog?.bye();
    await peer.wait(0);
    const request = peer.last;
    peer.takeSent();
    peer.respond('100 Trying', { to: request });
    expect(await sendTimesS(9)).toEqual([0.5, 4.5, 8.5]);
    peer.respond('200 OK', { to: request });
    peer.respond('200 OK', { to: request });
    expect(await sendTimesS(4.9)).toEqual([]);
    expect(peer.agent.counters()['dropped.unmatched_response']).toBeUndefined();
    await peer.wait(200);
    peer.respond('200 OK', { to: request });
    expect(peer.agent.counters()['dropped.unmatched_response']).toBe(1);
  });

  it('D: a refusal that comes again is acknowledged again for 32 s', async () => {
    const call = peer.agent.call('sip:x@127.0.0.1:5099', SDP);
    await peer.wait(0);
    const invite = peer.last;
    peer.takeSent();
    peer.respond('486 Busy Here', { to: invite, toTag: 'b' });
    await expect(call.answered).rejects.toMatchObject({ context: { status: 486 } });
    await peer.wait(31_000);
    peer.respond('486 Busy Here', { to: invite, toTag: 'b' });
    await peer.wait(0);
    expect(peer.takeSent()).toEqual(['ACK', 'ACK']);
    await peer.wait(2000);
    expect(peer.agent.pendingTransactions).toBe(0);
  });

  it('a 200 that comes again is acknowledged again', async () => {
    peer.agent.call('sip:x@127.0.0.1:5099', SDP);
    await peer.wait(0);
    const invite = peer.last;
    peer.takeSent();
    for (let times = 0; times < 3; times++) peer.respond('200 OK', { to: invite, toTag: 'b', body: SDP });
    await peer.wait(0);
    expect(peer.takeSent()).toEqual(['ACK', 'ACK', 'ACK']);
    expect(peer.agent.openDialogs).toBe(1);
  });
});

describe('a response we send', () => {
  it('G, H: a refusal is repeated until its ACK, at most 64*T1', async () => {
    peer.send({ callId: 'c', branch: 'b' });
    peer.invites[0]?.reject(486);
    expect(await sendTimesS(31.9)).toEqual(
      [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5].flatMap((at) => (at === 0 ? [0, 0] : [at])),
    );
    await peer.wait(1000);
    expect(peer.agent.pendingTransactions).toBe(0);
  });

  it('G stops at the ACK, and I absorbs further ACKs for 5 s', async () => {
    peer.send({ callId: 'c', branch: 'b' });
    peer.invites[0]?.reject(486);
    const toTag = peer.agentTag;
    peer.takeSent();
    peer.send({ method: 'ACK', callId: 'c', branch: 'b', toTag });
    peer.send({ method: 'ACK', callId: 'c', branch: 'b', toTag });
    expect(await sendTimesS(4.8)).toEqual([]);
    expect(peer.agent.pendingTransactions).toBe(1);
    await peer.wait(300);
    expect(peer.agent.pendingTransactions).toBe(0);
    expect(peer.agent.counters()['dropped.stray_ack']).toBeUndefined();
  });

  it('a 200 is repeated until its ACK', async () => {
    peer.send({ callId: 'c', branch: 'b' });
    const accepted = peer.invites[0]?.accept(SDP);
    const toTag = peer.agentTag;
    peer.takeSent();
    expect(await sendTimesS(4)).toEqual([0.5, 1.5, 3.5]);
    peer.send({ method: 'ACK', callId: 'c', branch: 'other', toTag });
    await accepted;
    expect(await sendTimesS(30)).toEqual([]);
  });

  it('a 200 without ACK ends the call by BYE after 64*T1 and tells the owner', async () => {
    peer.send({ callId: 'c', branch: 'b' });
    const failure = expect(peer.invites[0]?.accept(SDP)).rejects.toMatchObject({ code: 'SIP_TIMEOUT' });
    const ends: string[] = [];
    peer.invites[0]?.acceptedDialog?.onEnded((end) => ends.push(end));
    await peer.wait(31_900);
    peer.takeSent();
    await peer.wait(200);
    await failure;
    expect(peer.takeSent()).toEqual(['BYE']);
    expect(ends).toEqual(['ackTimeout']);
    expect(peer.agent.counters()['failed.ack_timeout']).toBe(1);
  });

  it('J: a repeated BYE gets its 200 again for 32 s, then 481', async () => {
    const toTag = await answeredDialog();
    const bye = { method: 'BYE', callId: 'c', branch: 'bye', toTag, cseq: 2 };
    peer.send(bye);
    peer.send(bye);
    await peer.wait(31_000);
    peer.send(bye);
    expect(peer.takeSent()).toEqual(['200 BYE', '200 BYE', '200 BYE']);
    await peer.wait(2000);
    peer.send(bye);
    expect(peer.takeSent()).toEqual(['481 BYE']);
    expect(peer.agent.pendingTransactions).toBe(0);
  });
});
