/** A caller for tests of a whole runtime: real SIP and RTP, speech from recordings, ears for level only. */
import { readFileSync } from 'node:fs';
import { mixToMono, parseWav } from '../../src/audio/wav.ts';
import { Telephone } from '../../src/caller/telephone.ts';
import { monotonicMs } from '../../src/observability/clock.ts';
import { makeOffer, readAnswer } from '../../src/sdp/negotiation.ts';
import { type DialogEnd, type SipDialog, SipUserAgent } from '../../src/sip/user-agent.ts';
import { until } from '../media/rtp-peer.ts';

const LOOPBACK = '127.0.0.1';
const REPLY_LIMIT_MS = 30_000;
/** The agent has finished when it is silent for so long. */
const FINISHED_MS = 700;

/** 8 kHz. @param name of a file in test/fixtures/utterances, without its ending */
export function utterance(name: string): Int16Array {
  const audio = parseWav(readFileSync(new URL(`../fixtures/utterances/${name}.wav`, import.meta.url)));
  if (audio.rateHz !== 8000) throw new Error(`${name} is not at 8 kHz`);
  return mixToMono(audio);
}

export class TestCaller {
  readonly #userAgent: SipUserAgent;

  private constructor(userAgent: SipUserAgent) {
    this.#userAgent = userAgent;
  }

  static async start(): Promise<TestCaller> {
    const options = { bindAddress: LOOPBACK, port: 0, userAgentName: 'test caller' };
    return new TestCaller(await SipUserAgent.start({ ...options, onInvite: (invite) => invite.reject(486) }));
  }

  /** @throws WildfireError SIP_REJECTED with `context.status` */
  async dial(sipPort: number): Promise<TestCall> {
    const telephone = await Telephone.open(LOOPBACK);
    try {
      const offer = makeOffer({ address: LOOPBACK, port: telephone.rtpPort });
      const { answerSdp, dialog } = await this.#userAgent.call(`sip:x@${LOOPBACK}:${sipPort}`, offer)
        .answered;
      const { remote, codec, payloadType, telephoneEventPayloadType } = readAnswer(answerSdp);
      if (remote === null) throw new Error('no address in the answer');
      telephone.connect({ remote, codec, payloadType, telephoneEventPayloadType });
      return new TestCall(telephone, dialog, remote.port);
    } catch (error) {
      await telephone.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#userAgent.close();
  }
}

export class TestCall {
  readonly telephone: Telephone;
  /** The RTP port of the callee. */
  readonly remoteRtpPort: number;
  readonly ended: Promise<DialogEnd>;
  readonly #dialog: SipDialog;

  constructor(telephone: Telephone, dialog: SipDialog, remoteRtpPort: number) {
    this.telephone = telephone;
    this.remoteRtpPort = remoteRtpPort;
    this.#dialog = dialog;
    this.ended = new Promise((resolve) => dialog.onEnded(resolve));
  }

  /** Resolves when the agent has said something since `sinceMs`, and has finished. */
  async untilAgentFinished(sinceMs = 0): Promise<void> {
    const { heard } = this.telephone;
    await until(() => {
      const spokeAtMs = heard.firstVoicedAtMs(sinceMs);
      return spokeAtMs !== null && heard.silenceStartMs(spokeAtMs, FINISHED_MS) !== null;
    }, REPLY_LIMIT_MS);
  }

  /** Says it and listens to the whole answer. */
  async ask(samples: Int16Array): Promise<void> {
    await this.telephone.say(samples);
    await this.untilAgentFinished(monotonicMs());
  }

  async hangUp(): Promise<void> {
    await this.#dialog.bye();
    await this.telephone.close();
  }
}
