/**
 * Runs one old program as a process of its own: `node peer.ts ROLE OPTIONS-AS-JSON`. Prints one JSON line for each
 * thing that happens, the first is `ready`. Audio processors take the words of their control socket on stdin.
 * SIGTERM, SIGINT and the end of stdin close a call in the old order, then end the process.
 */
import { createInterface } from 'node:readline';
import { OldInbound, type OldInboundOptions } from './old-inbound.ts';
import { OldLlama, type OldLlamaOptions } from './old-llama.ts';
import { OldOutbound, type OldOutboundOptions } from './old-outbound.ts';
import { KOKORO, OldTts, type OldTtsOptions, PIPER } from './old-tts.ts';
import { OldWhisper, type OldWhisperOptions } from './old-whisper.ts';
import { frequencyOf, tone } from './script.ts';
import { AUDIO_IN_RATE_HZ } from './wire.ts';

type Options = Record<string, unknown>;
/** Takes one line of stdin, as words. */
type Command = (words: readonly string[]) => void | Promise<void>;

interface Program {
  readonly command: Command;
  close(): Promise<void>;
}

const PROGRAMS: Readonly<Record<string, (options: Options) => Promise<Program>>> = {
  inbound: async (options) => inboundProgram(options),
  outbound: async (options) => outboundProgram(options),
  whisper: async (options) => {
    const onHeard = ({ callId, samples, text }: { callId: number; samples: Float32Array; text: string }) =>
      tell('heard', { callId, samples: samples.length, text });
    return service(await OldWhisper.start({ ...(options as unknown as OldWhisperOptions), onHeard }));
  },
  llama: async (options) => {
    const onText = (text: object): void => tell('text', text);
    return service(await OldLlama.start({ ...(options as unknown as OldLlamaOptions), onText }));
  },
  piper: async (options) => service(await OldTts.start(ttsOptions(options, PIPER))),
  kokoro: async (options) => service(await OldTts.start(ttsOptions(options, KOKORO))),
};

const [role = '', optionsText = '{}'] = process.argv.slice(2);
await main();

async function main(): Promise<void> {
  const start = PROGRAMS[role];
  if (start === undefined) {
    console.error(`usage: peer.ts ${Object.keys(PROGRAMS).join('|')} [options as JSON]`);
    process.exitCode = 2;
    return;
  }
  const program = await start(JSON.parse(optionsText) as Options);
  tell('ready', { pid: process.pid });
  const lines = createInterface({ input: process.stdin });
  const signalled = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
    lines.once('close', resolve);
  });
  lines.on('line', (line) => {
    if (line === 'SHUTDOWN') lines.close();
    else void program.command(line.split(' '));
  });
  await signalled;
  await program.close();
  lines.close();
  process.stdin.destroy();
}

function tell(event: string, details: object): void {
  console.log(JSON.stringify({ event, ...details }));
}

function service(running: { close(): Promise<void> }): Program {
  return { command: () => {}, close: () => running.close() };
}

function ttsOptions(options: Options, flavour: OldTtsOptions['flavour']): OldTtsOptions {
  return {
    ...(options as unknown as OldTtsOptions),
    flavour,
    onText: (text) => tell('text', text),
  };
}

function inboundProgram(options: Options): Program {
  let call: OldInbound | null = null;
  const close = async (): Promise<void> => {
    await call?.deactivate();
    call = null;
  };
  return {
    close,
    command: async ([verb, first, second]) => {
      if (verb === 'ACTIVATE') {
        const callId = Number(first);
        const onConnected = (): void => tell('connected', { callId });
        call = await OldInbound.activate({
          ...(options as unknown as OldInboundOptions),
          callId,
          onConnected,
        });
        tell('listening', { callId });
      } else if (verb === 'SAY') {
        const samples = tone(Number(first), Number(second), AUDIO_IN_RATE_HZ);
        tell('said', { sent: call?.say(samples) ?? false });
      } else if (verb === 'DEACTIVATE') {
        await close();
        tell('idle', {});
      }
    },
  };
}

function outboundProgram(options: Options): Program {
  let call: OldOutbound | null = null;
  const close = async (): Promise<void> => {
    await call?.deactivate();
    call = null;
  };
  return {
    close,
    command: async ([verb, first]) => {
      if (verb === 'ACTIVATE') {
        const callId = Number(first);
        call = await OldOutbound.activate({
          ...(options as unknown as OldOutboundOptions),
          callId,
          onChunk: ({ chunkId, sampleRateHz, samples }) => {
            const audio = samples ?? new Float32Array();
            const hz = frequencyOf(audio, sampleRateHz);
            tell('chunk', { callId, chunkId, sampleRateHz, samples: audio.length, hz });
          },
        });
        tell('listening', { callId });
      } else if (verb === 'DEACTIVATE') {
        const counts = call?.counts;
        await close();
        tell('idle', { ...counts });
      }
    },
  };
}
