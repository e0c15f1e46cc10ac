/**
 * Every way in which a call can end: each gives back all that was held, reports exactly once, frees the slot, and
 * leaves the INVITE answered and the dialog hung up.
 */
import { describe, expect, it, vi } from 'vitest';
import { emptyCounts } from '../../src/call/ledger.ts';
import type { EndedBy } from '../../src/call/reports.ts';
import { WildfireError } from '../../src/errors.ts';
import { CallHarness, type HarnessOptions, pass, useFakeClock } from './call-harness.ts';
import { FakeInvite, OFFER } from './fake-sip.ts';
import { Gate } from './gate.ts';

useFakeClock();

const ANSWER = OFFER;
const BROKEN = new Error('broken on purpose');

interface Ending {
  readonly name: string;
  readonly options?: HarnessOptions;
  readonly run: (harness: CallHarness) => Promise<void>;
  readonly endedBy: EndedBy;
  readonly reason: string;
  /** Status of the refused INVITE. */
  readonly refusedWith?: number;
  readonly byesSent?: number;
}

const ENDINGS: readonly Ending[] = [
  {
    name: 'the caller hangs up',
    run: async (harness) => {
      await harness.establishAndGreet();
      harness.dialog.finish('remoteBye');
    },
    endedBy: 'caller',
    reason: 'bye',
    byesSent: 0,
  },
  {
    name: 'the caller hangs up while the agent talks',
    run: async (harness) => {
      await harness.establish();
      await pass(200);
      expect(harness.media.playedSamples.length).toBeGreaterThan(0);
      harness.dialog.finish('remoteBye');
    },
    endedBy: 'caller',
    reason: 'bye',
    byesSent: 0,
  },
  {
    name: 'the agent hangs up on a silent caller',
    run: async (harness) => {
      await harness.establish();
      await pass(60_000);
    },
    endedBy: 'agent',
    reason: 'noInput',
    byesSent: 1,
  },
  {
    name: 'CANCEL before the media leg is open',
    run: async (harness) => {
      harness.media.openGate = new Gate();
      void harness.call.answer();
      await pass(0);
      harness.invite.cancel();
      await pass(0);
      harness.media.openGate.open();
    },
    endedBy: 'caller',
    reason: 'cancel',
  },
  {
    name: 'CANCEL, and then the media leg cannot be opened',
    run: async (harness) => {
      harness.media.openGate = new Gate();
      void harness.call.answer();
      await pass(0);
      harness.invite.cancel();
      harness.media.openGate.fail(BROKEN);
    },
    endedBy: 'caller',
    reason: 'cancel',
  },
  {
    name: 'CANCEL before anything was done',
    run: async (harness) => {
      harness.invite.cancel();
      await harness.call.answer();
    },
    endedBy: 'caller',
    reason: 'cancel',
  },
  {
    name: 'CANCEL while a slow leg is given back',
    run: async (harness) => {
      harness.media.openGate = new Gate();
      harness.media.closeGate = new Gate();
      void harness.call.answer();
      await pass(0);
      harness.invite.cancel();
      harness.media.openGate.open();
      await pass(500);
      harness.media.closeGate.open();
    },
    endedBy: 'caller',
    reason: 'cancel',
  },
  {
    name: 'no ACK',
    run: async (harness) => {
      void harness.call.answer();
      await pass(32_000);
      harness.dialog.finish('ackTimeout');
    },
    endedBy: 'error',
    reason: 'ackTimeout',
  },
  {
    name: 'BYE instead of an ACK',
    run: async (harness) => {
      void harness.call.answer();
      await pass(0);
      harness.dialog.finish('remoteBye');
    },
    endedBy: 'caller',
    reason: 'bye',
  },
  {
    name: 'an offer without a codec of ours',
    options: { offer: OFFER.replaceAll('RTP/AVP 0 101', 'RTP/AVP 9 101') },
    run: (harness) => harness.call.answer(),
    endedBy: 'error',
    reason: 'no_common_codec',
    refusedWith: 488,
  },
  {
    name: 'an offer that is no SDP',
    options: { offer: 'v=0\r\nhello' },
    run: (harness) => harness.call.answer(),
    endedBy: 'error',
    reason: 'bad_sdp',
    refusedWith: 400,
  },
  {
    name: 'late offer, answered in the ACK, then BYE',
    options: { offer: null },
    run: async (harness) => {
      void harness.call.answer();
      await pass(0);
      expect(harness.invite.acceptedSdp).toContain('m=audio 20000 RTP/AVP 0 8 101');
      harness.invite.acknowledge(ANSWER);
      await pass(0);
      expect(harness.media.starts[0]?.remote).toEqual({ address: '127.0.0.1', port: 4000 });
      harness.dialog.finish('remoteBye');
    },
    endedBy: 'caller',
    reason: 'bye',
  },
  {
    name: 'late offer, and an ACK without an answer',
    options: { offer: null },
    run: async (harness) => {
      void harness.call.answer();
      await pass(0);
      harness.invite.acknowledge(null);
    },
    endedBy: 'error',
    reason: 'setUpFailed',
    byesSent: 1,
  },
  {
    name: 'the media leg cannot be opened',
    run: async (harness) => {
      harness.media.openGate = new Gate();
      harness.media.openGate.fail(BROKEN);
      await harness.call.answer();
    },
    endedBy: 'error',
    reason: 'setUpFailed',
    refusedWith: 500,
  },
  {
    name: 'no RTP port is free just now',
    run: async (harness) => {
      harness.media.openGate = new Gate();
      harness.media.openGate.fail(new WildfireError('PORT_POOL_EMPTY', 'none left', { retryable: true }));
      await harness.call.answer();
      expect(harness.invite.refusalHeaders).toEqual(['Retry-After: 9']);
    },
    endedBy: 'error',
    reason: 'setUpFailed',
    refusedWith: 503,
  },
  {
    name: 'the media leg cannot be started',
    run: async (harness) => {
      harness.media.startGate = new Gate();
      harness.media.startGate.fail(BROKEN);
      await harness.establish();
    },
    endedBy: 'error',
    reason: 'setUpFailed',
    byesSent: 1,
  },
  {
    name: 'BYE while the media leg is started',
    run: async (harness) => {
      harness.media.startGate = new Gate();
      await harness.establish();
      harness.dialog.finish('remoteBye');
      await pass(0);
      harness.media.startGate.open();
    },
    endedBy: 'caller',
    reason: 'bye',
  },
  {
    name: 'no VAD can be started',
    run: async (harness) => {
      harness.vad.runningGate = new Gate();
      void harness.call.answer();
      await pass(0);
      harness.vad.runningGate.fail(new WildfireError('WORKER_DIED', 'no vad thread', { retryable: true }));
    },
    endedBy: 'error',
    reason: 'setUpFailed',
    refusedWith: 503,
  },
  {
    name: 'CANCEL while another VAD is started',
    run: async (harness) => {
      harness.vad.runningGate = new Gate();
      void harness.call.answer();
      await pass(0);
      harness.invite.cancel();
      await pass(0);
      harness.vad.runningGate.open();
    },
    endedBy: 'caller',
    reason: 'cancel',
  },
  {
    name: 'the VAD cannot watch the call',
    run: async (harness) => {
      harness.vad.watchGate = new Gate();
      harness.vad.watchGate.fail(BROKEN);
      await harness.establish();
    },
    endedBy: 'error',
    reason: 'setUpFailed',
    byesSent: 1,
  },
  {
    name: 'BYE while the VAD begins to watch',
    run: async (harness) => {
      harness.vad.watchGate = new Gate();
      await harness.establish();
      harness.dialog.finish('remoteBye');
      await pass(0);
      harness.vad.watchGate.open();
    },
    endedBy: 'caller',
    reason: 'bye',
  },
  {
    name: 'no RTP',
    run: async (harness) => {
      await harness.establish();
      harness.call.onMediaEvent({ kind: 'mediaTimeout', callId: 7 });
    },
    endedBy: 'error',
    reason: 'mediaTimeout',
    byesSent: 1,
  },
  {
    name: 'the longest duration',
    options: { maxCallDurationMs: 5000 },
    run: async (harness) => {
      await harness.establish();
      await pass(5000);
    },
    endedBy: 'agent',
    reason: 'maxDuration',
    byesSent: 1,
  },
  {
    name: 'the media thread dies during the call',
    run: async (harness) => {
      await harness.establish();
      await pass(100);
      harness.media.die();
      void harness.call.end('error', 'mediaDied');
    },
    endedBy: 'error',
    reason: 'mediaDied',
    byesSent: 1,
  },
  {
    name: 'the media thread dies while the leg is opened',
    run: async (harness) => {
      harness.media.openGate = new Gate();
      void harness.call.answer();
      await pass(0);
      void harness.call.end('error', 'mediaDied');
      harness.media.openGate.fail(BROKEN);
    },
    endedBy: 'error',
    reason: 'mediaDied',
    refusedWith: 503,
  },
  {
    name: 'shutdown while the leg is opened',
    run: async (harness) => {
      harness.media.openGate = new Gate();
      void harness.call.answer();
      await pass(0);
      void harness.call.end('agent', 'shutdown');
      harness.media.openGate.open();
    },
    endedBy: 'agent',
    reason: 'shutdown',
    refusedWith: 503,
  },
  {
    name: 'shutdown while the ACK is awaited',
    run: async (harness) => {
      void harness.call.answer();
      await pass(0);
      void harness.call.end('agent', 'shutdown');
    },
    endedBy: 'agent',
    reason: 'shutdown',
    byesSent: 1,
  },
  {
    name: 'shutdown while Whisper works',
    run: async (harness) => {
      await harness.establishAndGreet();
      harness.engines.whisper.script.push(new Gate());
      await harness.speak(800);
      await pass(1000);
      expect(harness.engines.whisper.tasks).toHaveLength(1);
      void harness.call.end('agent', 'shutdown');
    },
    endedBy: 'agent',
    reason: 'shutdown',
    byesSent: 1,
  },
  {
    name: 'shutdown while LLaMA writes',
    run: async (harness) => {
      await harness.establishAndGreet();
      harness.engines.llama.script.push(['One moment. ', new Gate()]);
      await harness.speak(800);
      await pass(1000);
      void harness.call.end('agent', 'shutdown');
    },
    endedBy: 'agent',
    reason: 'shutdown',
    byesSent: 1,
  },
  {
    name: 'shutdown in the middle of a reply, and nobody answers the BYE',
    run: async (harness) => {
      await harness.establishAndGreet();
      await harness.speak(800);
      await pass(700);
      harness.dialog.byeGate = new Gate();
      void harness.call.end('agent', 'shutdown');
      await pass(4000);
      expect(harness.media.openLegs).toBe(0);
      expect(harness.reports).toEqual([]);
      await pass(1500);
    },
    endedBy: 'agent',
    reason: 'shutdown',
    byesSent: 1,
  },
  {
    name: 'every engine fails again and again',
    run: async (harness) => {
      harness.engines.tts.script.push(...Array<Error>(20).fill(BROKEN));
      await harness.establish();
      await pass(30_000);
    },
    endedBy: 'agent',
    reason: 'failed',
    byesSent: 1,
  },
  {
    name: 'the user agent is closed',
    run: async (harness) => {
      await harness.establish();
      harness.dialog.finish('closed');
    },
    endedBy: 'error',
    reason: 'closed',
    byesSent: 0,
  },
];

describe('the end of a call', () => {
  it.each(ENDINGS)('$name', async (ending) => {
    const harness = new CallHarness(ending.options);
    await ending.run(harness);
    await pass(0);

    expect(harness.reports, harness.warnings.join('\n')).toHaveLength(1);
    expect(harness.reports[0]).toMatchObject({ endedBy: ending.endedBy, reason: ending.reason });
    expect(harness.reports[0]?.ledger).toEqual(emptyCounts());
    expectNothingLeft(harness);
    expect(harness.invite.refusals).toEqual(ending.refusedWith === undefined ? [] : [ending.refusedWith]);
    if (ending.byesSent !== undefined) expect(harness.dialog.byesSent).toBe(ending.byesSent);

    await Promise.all([harness.call.end('error', 'again'), harness.call.end('caller', 'and again')]);
    await pass(120_000);
    expect(harness.reports).toHaveLength(1);
    expect(harness.left).toEqual([7]);
    expectNothingLeft(harness);
  });

  it('reports nothing and keeps the slot while something is still held', async () => {
    const harness = new CallHarness();
    harness.media.openGate = new Gate();
    void harness.call.answer();
    await pass(0);
    harness.invite.cancel();
    await pass(1000);
    expect(harness.reports).toEqual([]);
    expect(harness.left).toEqual([]);
    harness.media.openGate.open();
    await pass(0);
    expect(harness.reports[0]?.rtp.sent).toBeGreaterThan(0);
    expect(harness.left).toEqual([7]);
  });

  it('its rings are used again only when no sentence is being written any more', async () => {
    const harness = new CallHarness();
    const late = new Gate<string>();
    harness.engines.tts.script.push(late);
    await harness.establish();
    await harness.call.end('caller', 'bye');
    expect(harness.reports).toHaveLength(1);
    expect([harness.audio.inUse, harness.audio.spare]).toEqual([1, 0]);
    late.open('');
    await pass(0);
    expect([harness.audio.inUse, harness.audio.spare]).toEqual([0, 1]);
  });

  it('its rings are never used again when a release failed', async () => {
    const harness = new CallHarness();
    await harness.establish();
    harness.media.die();
    await harness.call.end('error', 'mediaDied');
    await pass(0);
    expect([harness.audio.inUse, harness.audio.spare]).toEqual([0, 0]);
    expect(harness.warnings.join()).toContain('a release failed');
  });

  it('the report carries the figures of the leg and of the conversation', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(600);
    await harness.untilSilent();
    harness.dialog.finish('remoteBye');
    await pass(0);
    expect(harness.reports[0]).toMatchObject({ turns: 1, rtp: { sent: 50, received: 49, lost: 1 } });
    expect(harness.reports[0]?.durationMs).toBeGreaterThan(1400);
    expect(harness.reports[0]?.greetingMs).toBeGreaterThan(0);
  });
});

describe('the SDP of a call', () => {
  it('names the address that the caller reaches us at, and the media leg binds to the one of the interface', async () => {
    const harness = new CallHarness({ advertisedAddress: '203.0.113.5' });
    const openLeg = vi.spyOn(harness.media, 'openLeg');
    await harness.establish();
    expect(harness.invite.acceptedSdp).toContain('c=IN IP4 203.0.113.5');
    expect(openLeg.mock.calls[0]?.[0].bindAddress).toBe('127.0.0.1');
    await harness.call.end('agent', 'done');
  });

  it('media follow a re-INVITE, on hold and back, and the version of the SDP rises', async () => {
    const harness = new CallHarness();
    await harness.establish();
    const held = harness.dialog.reinvite(`${OFFER}a=sendonly\r\n`);
    const resumed = harness.dialog.reinvite(OFFER.replace('4000', '4444'));
    await pass(0);
    expect(harness.media.starts.map(({ direction, remote }) => [direction, remote?.port])).toEqual([
      ['sendrecv', 4000],
      ['recvonly', 4000],
      ['sendrecv', 4444],
    ]);
    const versions = [{ answer: harness.invite.acceptedSdp ?? '' }, held, resumed].map((reply) =>
      'answer' in reply ? /o=wildfire 7 (\d+)/.exec(reply.answer)?.[1] : undefined,
    );
    expect(versions).toEqual(['1', '2', '3']);
    await harness.call.end('agent', 'done');
  });

  it('a re-INVITE that cannot be served is refused and the call goes on', async () => {
    const harness = new CallHarness();
    await harness.establish();
    expect(harness.dialog.reinvite(OFFER.replace('AVP 0 101', 'AVP 9'))).toEqual({ reject: 488 });
    expect(harness.dialog.reinvite('nonsense')).toEqual({ reject: 400 });
    await pass(0);
    expect(harness.media.starts).toHaveLength(1);
    expect(harness.reports).toEqual([]);
    await harness.call.end('agent', 'done');
  });

  it('a re-INVITE without an offer gets ours, and media follow the ACK; one without an answer changes nothing', async () => {
    const harness = new CallHarness();
    await harness.establish();
    const reply = harness.dialog.reinvite(null);
    expect('answer' in reply && reply.answer).toContain('m=audio 20000');
    harness.dialog.lateAnswer(ANSWER.replace('4000', '4555'));
    harness.dialog.lateAnswer(null);
    await pass(0);
    expect(harness.media.starts.at(-1)?.remote?.port).toBe(4555);
    expect(harness.reports).toEqual([]);
    await harness.call.end('agent', 'done');
  });
});

function expectNothingLeft(harness: CallHarness): void {
  expect(harness.call.ledgerCounts()).toEqual(emptyCounts());
  expect(harness.media.openLegs).toBe(0);
  expect(harness.vad.watched.size).toBe(0);
  expect(harness.engines.llama.openConversations.size).toBe(0);
  expect(harness.audio.inUse).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
}

it('the fake INVITE answers once, like the real one', async () => {
  const invite = new FakeInvite();
  invite.cancel();
  invite.reject(500);
  expect(invite.refusals).toEqual([]);
  await expect(invite.accept('x')).rejects.toMatchObject({ code: 'SIP_REJECTED' });
});
