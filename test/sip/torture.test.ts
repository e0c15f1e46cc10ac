/** RFC 4475 and its like: each message has its expected outcome, and the next good call still goes through. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type IncomingInvite, SipUserAgent } from '../../src/sip/user-agent.ts';
import { catchSent, headerOf, PEER, requestText, type SentMessage, statusOf } from './sip-text.ts';
import { MORE_MESSAGES, TORTURE_MESSAGES, type TortureMessage } from './torture-messages.ts';

let agent: SipUserAgent;
let sent: SentMessage[];
let invites: IncomingInvite[];

beforeEach(async () => {
  invites = [];
  agent = await SipUserAgent.start({
    bindAddress: '127.0.0.1',
    port: 0,
    userAgentName: 'test',
    onInvite: (invite) => invites.push(invite),
  });
  sent = catchSent();
});

afterEach(async () => {
  await agent.close();
  vi.restoreAllMocks();
});

function receive(text: string): void {
  agent.receive(Buffer.from(text, 'latin1'), PEER);
}

function expectOutcome(message: TortureMessage): void {
  const counters = agent.counters();
  if (message.outcome === 'offered') {
    expect(counters['refused.grammar']).toBeUndefined();
    expect(invites).toHaveLength(1);
    expect(sent.map(statusOf)).toEqual([100]);
  } else if (message.outcome === 'dropped') {
    expect(sent).toEqual([]);
    if (message.reason !== 'none') expect(counters[`dropped.${message.reason}`]).toBe(1);
  } else {
    expect(sent.map(statusOf)).toEqual([message.outcome]);
    if (message.reason !== undefined) expect(counters[`refused.${message.reason}`]).toBe(1);
    expect(sent[0]?.to.address).toBe(PEER.address);
  }
  expect(Object.keys(counters).filter((name) => name.startsWith('failed.'))).toEqual([]);
}

describe.each([
  ['RFC 4475', TORTURE_MESSAGES],
  ['more bad input', MORE_MESSAGES],
])('%s', (_title, messages) => {
  it.each(
    messages.map((message) => [`${message.name} (${message.section}): ${message.outcome}`, message] as const),
  )('%s', (_name, message) => {
    receive(message.text);
    expectOutcome(message);
    const before = sent.length;
    receive(requestText({ method: 'OPTIONS' }));
    expect(statusOf(sent[before])).toBe(200);
  });
});

describe('responses to bad input', () => {
  it('repeat every Via in order and name the real source in the top one', () => {
    receive(TORTURE_MESSAGES.find(({ name }) => name === 'transports')?.text ?? '');
    const vias = sent[0]?.text.split('\r\n').filter((line) => line.startsWith('Via:')) ?? [];
    expect(vias).toHaveLength(5);
    expect(vias[0]).toContain(`;received=${PEER.address};rport=${PEER.port}`);
    expect(vias[4]).toContain('SIP/2.0/TCP');
  });

  it('go to the source even when the request claims another one', () => {
    const via =
      'Via: SIP/2.0/UDP 203.0.113.9:9;branch=z9hG4bKx;received=203.0.113.7;rport=7;maddr=203.0.113.8';
    receive(requestText({ method: 'OPTIONS', replace: { Via: via } }));
    expect(sent[0]?.to).toEqual(PEER);
    expect(sent[0]?.text).not.toMatch(/203\.0\.113\.[78]/);
  });

  it('name what is supported', () => {
    receive(requestText({ method: 'OPTIONS' }));
    expect(headerOf(sent[0]?.text ?? '', 'Allow')).toBe('INVITE, ACK, CANCEL, BYE, OPTIONS, INFO');
    expect(headerOf(sent[0]?.text ?? '', 'Accept')).toBe('application/sdp');
    expect(sent[0]?.text).toMatch(/\r\nSupported: *\r\n/);
    receive(requestText({ add: ['Require: a, b'] }));
    expect(headerOf(sent[1]?.text ?? '', 'Unsupported')).toBe('a, b');
  });

  it('carry the same To tag for the same request', () => {
    const request = requestText({ method: 'BYE' });
    receive(request);
    receive(request);
    expect(sent[0]?.text).toBe(sent[1]?.text);
  });

  it('decode what the owner is shown', () => {
    receive(TORTURE_MESSAGES.find(({ name }) => name === 'esc01')?.text ?? '');
    expect(invites[0]).toMatchObject({ fromUser: 'I have spaces', toUser: 'sips:user@example.com' });
  });
});
