/**
 * A whole call of the built-in caller, dialled over loopback SIP, with a callee that talks back in tones: who
 * speaks when, what is measured, and who hangs up when something goes wrong.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { StepResult } from '../../src/caller/caller-conversation.ts';
import { scriptedCaller } from '../../src/caller/live-caller.ts';
import { placeCall } from '../../src/caller/place-call.ts';
import type { CallerScript, CallerStep } from '../../src/caller/script.ts';
import type { TalkSpan } from '../../src/caller/talk-queue.ts';
import { Telephone } from '../../src/caller/telephone.ts';
import { makeOffer, readAnswer } from '../../src/sdp/negotiation.ts';
import { type DialogEnd, type SipDialog, SipUserAgent } from '../../src/sip/user-agent.ts';
import { tone } from './tones.ts';

const LOOPBACK = '127.0.0.1';
/** Silence of the caller after which the callee answers. */
const REPLY_AFTER_MS = 800;

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Callee {
  readonly uri: string;
  readonly telephone: Telephone;
  readonly ended: Promise<DialogEnd>;
  /** Runs with the answered call. */
  onAnswered: (dialog: SipDialog) => void;
}

/** Answers one call and leaves the talking to the test. */
async function startCallee(answerSdp?: string): Promise<Callee> {
  const telephone = await Telephone.open(LOOPBACK);
  const { promise: ended, resolve } = Promise.withResolvers<DialogEnd>();
  const callee = { uri: '', telephone, ended, onAnswered: (_dialog: SipDialog): void => {} };
  const userAgent = await SipUserAgent.start({
    bindAddress: LOOPBACK,
    port: 0,
    userAgentName: 'callee',
    onInvite: (invite) => {
      const sdp = answerSdp ?? makeOffer({ address: LOOPBACK, port: telephone.rtpPort });
      const { remote } = readAnswer(invite.offer ?? '');
      if (remote === null) return invite.reject(488);
      telephone.connect({ remote, codec: 'PCMU', payloadType: 0, telephoneEventPayloadType: null });
      void invite.accept(sdp).then(({ dialog }) => {
        dialog.onEnded(resolve);
        callee.onAnswered(dialog);
      });
    },
  });
  closers.push(
    () => userAgent.close(),
    () => telephone.close(),
  );
  callee.uri = `sip:x@${LOOPBACK}:${userAgent.port}`;
  return callee;
}

async function dial(
  callee: Callee,
  steps: Partial<CallerStep>[],
  parts: { onStep?: (step: StepResult) => void; render?: () => Promise<Int16Array> } = {},
): ReturnType<typeof placeCall> {
  const userAgent = await SipUserAgent.start({
    bindAddress: LOOPBACK,
    port: 0,
    userAgentName: 'caller',
    onInvite: (invite) => invite.reject(486),
  });
  closers.push(() => userAgent.close());
  const script: CallerScript = {
    name: 'x',
    expectsGreeting: true,
    choices: {},
    steps: steps.map((step) => ({ goal: 'g', expect: [], ...step })),
  };
  return placeCall({
    userAgent,
    uri: callee.uri,
    localAddress: LOOPBACK,
    caller: scriptedCaller(script, parts.render ?? (async () => tone(300))),
    parts: {
      transcribe: async (samples) => `${Math.round(samples.length / 8000)} seconds`,
      ...(parts.onStep === undefined ? {} : { onStep: parts.onStep }),
    },
  });
}

describe('a call of the built-in caller', () => {
  it('waits for the greeting, takes turns, keys, interrupts, and hangs up', { timeout: 30_000 }, async () => {
    const callee = await startCallee();
    callee.onAnswered = () => void callee.telephone.say(tone(500));
    const replies = replyWhenSpokenTo(callee.telephone, [tone(400), tone(1200), tone(400)]);
    const placed = await dial(
      callee,
      [
        { say: 'one', expect: ['second'] },
        { dtmf: '4#', expect: ['nothing like it'] },
        { say: 'two' },
        { say: 'three', bargeInAfterMs: 400 },
      ],
      // Keys are no audio that the callee would hear: its answer to them comes by the clock.
      { onStep: onceAfter(1200, () => void callee.telephone.say(tone(400))) },
    );
    replies.stop();
    const [firstReply, cutReply, lastReply] = await Promise.all(replies.spoken);
    expect(placed).toMatchObject({ endedBy: 'caller', endedEarly: false, greeting: '1 seconds' });
    expect(await callee.ended).toBe('remoteBye');
    expect(placed.greetingMs).toBeLessThan(500);
    expect(placed.steps.map(({ goalMet }) => goalMet)).toEqual([true, false, true, true]);
    const [first, keyed, cut, barged] = placed.steps;
    expect(first?.voiceToVoiceMs).toBeGreaterThan(REPLY_AFTER_MS);
    expect(first?.voiceToVoiceMs).toBe((first?.replyAtMs ?? 0) - (first?.lastSpeechSentAtMs ?? 0));
    expectInOrder(firstReply?.firstSentAtMs, first?.replyAtMs, firstReply?.lastSpeechSentAtMs);
    expect(keyed).toMatchObject({ input: 'dtmf', said: '4#', repliedEarly: false });
    expect(first).toMatchObject({ input: 'speech', repliedEarly: false });
    expect(barged?.bargeIn).toBe(true);
    // It began 400 ms into a reply that went on, and the agent had stopped when that reply was over.
    expectInOrder((cut?.replyAtMs ?? 0) + 400, barged?.startedAtMs, cutReply?.lastSpeechSentAtMs);
    expectInOrder(cutReply?.lastSpeechSentAtMs, barged?.agentStoppedAtMs, lastReply?.firstSentAtMs);
    expect(placed.rtp.sent).toBeGreaterThan(200);
    expect(placed.rtp.lost).toBe(0);
    expect(placed.heardSamples.length).toBeGreaterThan(8000 * 3);
  });

  it('takes no agent that was talking already for one that answered at once', {
    timeout: 20_000,
  }, async () => {
    const callee = await startCallee();
    callee.onAnswered = () => void callee.telephone.say(tone(300));
    const stopTalking = talkOverTheCaller(callee.telephone, tone(1500));
    const placed = await dial(callee, [{ say: 'one' }], { render: async () => tone(600) });
    stopTalking();
    const [step] = placed.steps;
    expect(step).toMatchObject({ input: 'speech', repliedEarly: true, voiceToVoiceMs: null });
    expect(step?.replyAtMs).toBeGreaterThan(step?.lastSpeechSentAtMs ?? Number.POSITIVE_INFINITY);
    expect(step?.reply).toBe('2 seconds');
  });

  it('notices that the agent hung up', { timeout: 20_000 }, async () => {
    const callee = await startCallee();
    callee.onAnswered = (dialog) => {
      void callee.telephone.say(tone(300)).then(() => dialog.bye());
    };
    const placed = await dial(callee, [{ say: 'one' }, { say: 'two' }]);
    expect(placed).toMatchObject({ endedBy: 'agent', endedEarly: true });
  });

  it('hangs up when its own voice fails', async () => {
    const callee = await startCallee();
    const render = (): Promise<Int16Array> => Promise.reject(new Error('no voice'));
    await expect(dial(callee, [{ say: 'one' }], { render })).rejects.toThrow('no voice');
    expect(await callee.ended).toBe('remoteBye');
  });

  it('hangs up when the answer names no address to talk to', async () => {
    const held = makeOffer({ address: LOOPBACK, port: 4000 }).replace(
      'c=IN IP4 127.0.0.1',
      'c=IN IP4 0.0.0.0',
    );
    const callee = await startCallee(held);
    await expect(dial(callee, [{ say: 'one' }])).rejects.toMatchObject({ code: 'SDP_INVALID' });
    expect(await callee.ended).toBe('remoteBye');
  });

  it('says why it was refused', async () => {
    const callee = await startCallee();
    const uri = callee.uri.replace(/sip:.*/, 'nonsense');
    await expect(dial({ ...callee, uri }, [{ say: 'one' }])).rejects.toMatchObject({ code: 'USAGE_INVALID' });
  });
});

/** Gives the next reply each time the caller has fallen silent for REPLY_AFTER_MS. */
function replyWhenSpokenTo(
  telephone: Telephone,
  replies: Int16Array[],
): { readonly spoken: readonly Promise<TalkSpan>[]; stop(): void } {
  let answeredUpToMs = 0;
  const spoken: Promise<TalkSpan>[] = [];
  const watch = setInterval(() => {
    const lastMs = telephone.heard.lastVoicedAtMs(answeredUpToMs + 1);
    if (lastMs === null || telephone.heard.silenceStartMs(lastMs + 1, REPLY_AFTER_MS) === null) return;
    answeredUpToMs = lastMs;
    const reply = replies.shift();
    if (reply !== undefined) spoken.push(telephone.say(reply));
  }, 20);
  return { spoken, stop: () => clearInterval(watch) };
}

/** Moments on the one clock of both ends: what is sent is heard after it, however busy the box is. */
function expectInOrder(...momentsMs: readonly (number | null | undefined)[]): void {
  expect(momentsMs.every((atMs) => typeof atMs === 'number')).toBe(true);
  expect(momentsMs).toEqual(momentsMs.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
}

/** Begins to talk as soon as the caller does. */
function talkOverTheCaller(telephone: Telephone, talk: Int16Array): () => void {
  const watch = setInterval(() => {
    if (telephone.heard.firstVoicedAtMs(0) === null) return;
    clearInterval(watch);
    void telephone.say(talk);
  }, 20);
  return () => clearInterval(watch);
}

/** Calls once, this long after the first call of what it returns. */
function onceAfter(delayMs: number, run: () => void): () => void {
  let isPending = true;
  return () => {
    if (isPending) setTimeout(run, delayMs);
    isPending = false;
  };
}
