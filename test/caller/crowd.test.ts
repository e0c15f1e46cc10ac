/** A crowd of callers against a callee of the test's own: all are put through, and a call that breaks hurts no other. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CallerEngines } from '../../src/caller/caller-engines.ts';
import { type CrowdCall, type CrowdOptions, runCrowd } from '../../src/caller/crowd.ts';
import { Telephone } from '../../src/caller/telephone.ts';
import type { ModelPack } from '../../src/models/pack.ts';
import { makeOffer, readAnswer } from '../../src/sdp/negotiation.ts';
import { type IncomingInvite, SipUserAgent } from '../../src/sip/user-agent.ts';
import { SMALL_GRAMMAR } from './grammars.ts';
import { tone } from './tones.ts';

const LOOPBACK = '127.0.0.1';
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Hears goodbye in everything, so that each call ends after its first turn. */
const ENGINES: CallerEngines = {
  transcribe: async () => SMALL_GRAMMAR.agent.goodbye,
  render: async () => tone(200),
  close: async () => {},
};

/** Answers, speaks, and speaks again after the caller; `onInvite` may do something else with a call. */
async function startCallee(onInvite: (invite: IncomingInvite, number: number) => boolean): Promise<string> {
  let calls = 0;
  const userAgent = await SipUserAgent.start({
    bindAddress: LOOPBACK,
    port: 0,
    userAgentName: 'callee',
    onInvite: (invite) => {
      calls += 1;
      if (!onInvite(invite, calls)) void talk(invite);
    },
  });
  closers.push(() => userAgent.close());
  return `sip:x@${LOOPBACK}:${userAgent.port}`;
}

async function talk(invite: IncomingInvite): Promise<void> {
  const { remote } = readAnswer(invite.offer ?? '');
  if (remote === null) return invite.reject(488);
  const telephone = await Telephone.open(LOOPBACK);
  closers.push(() => telephone.close());
  telephone.connect({ remote, codec: 'PCMU', payloadType: 0, telephoneEventPayloadType: null });
  await invite.accept(makeOffer({ address: LOOPBACK, port: telephone.rtpPort }));
  await telephone.say(tone(300));
  for (let replies = 0; replies < 2; replies++) {
    await untilSpokenTo(telephone);
    await telephone.say(tone(300));
  }
}

async function untilSpokenTo(telephone: Telephone): Promise<void> {
  const before = telephone.heard.samples.length;
  const isSpokenTo = (): boolean =>
    telephone.heard.samples.subarray(before).some((sample) => Math.abs(sample) > 1000) &&
    telephone.heard.samples.subarray(-2400).every((sample) => Math.abs(sample) < 1000);
  for (let waits = 0; waits < 500 && !isSpokenTo(); waits++)
    await new Promise((done) => setTimeout(done, 20));
}

function crowd(targetUri: string, options: Partial<CrowdOptions>): ReturnType<typeof runCrowd> {
  return runCrowd({
    targetUri,
    pack: {} as ModelPack, // the engines are given
    grammar: SMALL_GRAMMAR,
    seeds: [1, 2, 3],
    concurrent: 2,
    phrasing: 'trained',
    callsPerS: 50,
    engines: ENGINES,
    ...options,
  });
}

describe('a crowd', () => {
  it('puts every caller through, so many at once', { timeout: 60_000 }, async () => {
    const uri = await startCallee(() => false);
    const seen: number[] = [];
    const result = await crowd(uri, {
      seeds: [1, 2, 3, 4],
      onCall: ({ seed }, placed) => {
        expect(placed?.heardSamples.length).toBeGreaterThan(0);
        seen.push(seed);
      },
    });
    expect(result.peakConcurrent).toBe(2);
    expect(seen.sort()).toEqual([1, 2, 3, 4]);
    expect(new Set(result.calls.map(({ sipCallId }) => sipCallId)).size).toBe(4);
    for (const call of result.calls) {
      expect(call).toMatchObject({ isEstablished: true, isCompleted: true, goalMet: false });
      expect(call.steps).toHaveLength(1);
      expect(call.steps[0]?.voiceToVoiceMs).toBeGreaterThan(0);
    }
  });

  it('goes on when calls are refused, dropped or given nonsense', { timeout: 60_000 }, async () => {
    const uri = await startCallee((invite, number) => {
      if (number === 1) invite.reject(486);
      else if (number === 2) void invite.accept('nonsense');
      else if (number === 3) void dropped(invite);
      return number <= 3;
    });
    const { calls } = await crowd(uri, { seeds: [1, 2, 3, 4], concurrent: 1 });
    const by = (seed: number): CrowdCall | undefined => calls.find((call) => call.seed === seed);
    expect(by(1)).toMatchObject({ isEstablished: false, isCompleted: false, goalMet: false });
    expect(by(1)?.why).toMatch(/refused with 486/);
    expect(by(2)).toMatchObject({ isEstablished: false, goalMet: false });
    expect(by(3)).toMatchObject({ isEstablished: true, isCompleted: false, goalMet: false });
    expect(by(3)?.why).toMatch(/^the agent hung up/);
    expect(by(4)).toMatchObject({ isEstablished: true, isCompleted: true });
  });

  it('begins no call after its time, and cuts one that does not end', { timeout: 60_000 }, async () => {
    const uri = await startCallee(() => false);
    const seeds = function* (): Generator<number> {
      for (let seed = 1; ; seed++) yield seed;
    };
    const engines = { ...ENGINES, transcribe: async () => 'nothing that means anything' };
    const { calls } = await crowd(uri, {
      seeds: seeds(),
      concurrent: 1,
      durationMs: 500,
      maxCallMs: 1500,
      engines,
    });
    expect(calls.length).toBe(1);
    expect(calls[0]).toMatchObject({ isCompleted: false, why: 'the call took too long' });
    expect(calls[0]?.durationMs).toBeLessThan(8000);
  });

  it('says that a target is no address', async () => {
    await expect(crowd('nonsense', {})).rejects.toMatchObject({ code: 'USAGE_INVALID' });
  });
});

async function dropped(invite: IncomingInvite): Promise<void> {
  const { remote } = readAnswer(invite.offer ?? '');
  const { dialog } = await invite.accept(makeOffer({ address: LOOPBACK, port: remote?.port ?? 4000 }));
  setTimeout(() => void dialog.bye(), 200);
}
