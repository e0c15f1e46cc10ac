/** Starts the old services of one system on its ports; a test leaves out the one whose place it takes itself. */
import type { OldPorts } from './free-ports.ts';
import { OldLlama } from './old-llama.ts';
import { OldTts, type TtsFlavour } from './old-tts.ts';
import { OldWhisper, type OldWhisperOptions } from './old-whisper.ts';

export function startOldTts(ports: OldPorts, flavour: TtsFlavour): Promise<OldTts> {
  return OldTts.start({
    flavour,
    port: ports.ttsPort,
    registrationPort: ports.audioOutRegistrationPort,
    audioBasePort: ports.audioOutBasePort,
  });
}

export function startOldLlama({ llamaPort, ttsPort }: OldPorts): Promise<OldLlama> {
  return OldLlama.start({ port: llamaPort, ttsPort });
}

export function startOldWhisper(
  { audioInRegistrationPort, audioInBasePort, llamaPort }: OldPorts,
  options: Pick<OldWhisperOptions, 'transcribe' | 'closesLlamaAtBye'> = {},
): Promise<OldWhisper> {
  const registration = { registrationPort: audioInRegistrationPort, audioBasePort: audioInBasePort };
  return OldWhisper.start({ ...registration, llamaPort, ...options });
}
