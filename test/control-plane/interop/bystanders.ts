/**
 * Calls that use one of our processes each and none of the others: while another one is killed they must go on as if
 * nothing had happened, on the connections that they have.
 */
import type { OldPorts } from '../peers/free-ports.ts';
import { OldOutbound } from '../peers/old-outbound.ts';
import { ReadingInbound } from '../peers/reading-inbound.ts';
import { sleep } from '../peers/sockets.ts';
import { TextLink } from '../peers/text-link.ts';
import type { Role } from './our-process.ts';
import { recordedSpeech } from './speech.ts';

const BEAT_LIMIT_MS = 10_000;
const POLL_MS = 5;

/** A call in the background: it exchanges something again and again. */
export interface Bystander {
  /** The processes that it needs. */
  readonly needs: readonly Role[];
  /** One exchange. @throws when it did not work */
  beat(): Promise<void>;
  /** How many connections it took. */
  connections(): number;
  close(): Promise<void>;
}

/** An inbound processor: every utterance has to come back as words. */
export async function whisperUser(callId: number, ports: OldPorts): Promise<Bystander> {
  const inbound = await ReadingInbound.activate({
    callId,
    audioBasePort: ports.audioInBasePort,
    registrationPort: ports.audioInRegistrationPort,
  });
  const speech = recordedSpeech('opening-hours');
  return {
    needs: ['whisper'],
    beat: async () => {
      const words = await inbound.say(speech);
      if (words === null || !/what are/.test(words)) throw new Error(`call ${callId}: "${words}" came back`);
    },
    connections: () => inbound.clients,
    close: () => inbound.deactivate(),
  };
}

/** An old LLaMA and an outbound processor: every text has to come out as audio. */
export function ttsUser(
  callId: number,
  ports: OldPorts,
  text = 'We are open from noon.',
): Promise<Bystander> {
  return textUser({ callId, ports, port: ports.ttsPort, needs: ['tts'], text });
}

/** An old Whisper and an outbound processor: every question has to come out as the audio of an answer. */
export function llamaUser(
  callId: number,
  ports: OldPorts,
  text = 'what are your opening hours',
): Promise<Bystander> {
  return textUser({ callId, ports, port: ports.llamaPort, needs: ['llama', 'tts'], text });
}

interface TextUser {
  readonly callId: number;
  readonly ports: OldPorts;
  readonly port: number;
  readonly needs: readonly Role[];
  readonly text: string;
}

async function textUser({ callId, ports, port, needs, text }: TextUser): Promise<Bystander> {
  const outbound = await OldOutbound.activate({
    callId,
    audioBasePort: ports.audioOutBasePort,
    registrationPort: ports.audioOutRegistrationPort,
  });
  const link = new TextLink(callId, port);
  return {
    needs,
    beat: async () => {
      const before = outbound.chunks.length;
      if (!(await link.send(text))) throw new Error(`call ${callId}: the text could not be sent`);
      const giveUpAtMs = performance.now() + BEAT_LIMIT_MS;
      while (outbound.chunks.length === before) {
        if (performance.now() > giveUpAtMs)
          throw new Error(`call ${callId}: no audio in ${BEAT_LIMIT_MS} ms`);
        await sleep(POLL_MS);
      }
    },
    connections: () => link.connections + outbound.counts.clients,
    close: async () => {
      link.sayBye();
      await outbound.deactivate();
    },
  };
}
