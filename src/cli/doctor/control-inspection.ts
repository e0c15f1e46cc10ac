/**
 * What `doctor` finds of the control plane: who is bound to its registration ports, what the kernel dropped or holds for
 * them, and, when a runtime answers on the HTTP port, which symptom its listeners show. Thread: main.
 */
import type { Config } from '../../config/schema.ts';
import { SYMPTOMS, type Symptom } from '../../control-plane/net/symptoms.ts';
import { readUdpFigures, type UdpFigures } from '../../control-plane/net/udp-figures.ts';
import { type Finding, ok } from './finding.ts';
import type { RunningListener, RunningWildfire } from './running-wildfire.ts';

/** The earlier system's listeners asked for this much. */
const WANTED_BUFFER_BYTES = 262_144;

const ADVICE: Readonly<Record<Symptom, string>> = {
  packetsNotArriving:
    'raise control.receiveBufferBytes and net.core.rmem_max, and see that one program only has the port',
  socketInvalid: 'look into the log for what closed it; another program may have the port',
  socketError: 'look into the log for the errors of the system',
  queueBackingUp: 'the main thread is too busy: look at wildfire_main_loop_delay_seconds, and give it a core',
};

const DROPS_ADVICE = `if the number grows: ${ADVICE.packetsNotArriving}`;

/**
 * One finding for each registration port, and one for each symptom of a runtime that is up.
 * @param running the Wildfire that answers on the HTTP port, null when none does
 */
export function inspectControl({ control }: Config, running: RunningWildfire | null): Finding[] {
  const { whisperPort, ttsRegisterPort } = control;
  return [
    portFinding('whisper', whisperPort, readUdpFigures(whisperPort)),
    portFinding('tts', ttsRegisterPort, readUdpFigures(ttsRegisterPort)),
    ...(running?.control?.listeners ?? []).flatMap(listenerFindings),
  ];
}

/** What the kernel knows of the sockets on one port. Pure. */
export function portFinding(role: string, port: number, figures: UdpFigures | null): Finding {
  const name = `registration udp ${port} (${role})`;
  if (figures === null) return { name, value: 'not readable', verdict: 'note', advice: '' };
  const { sockets, drops, queueBytes } = figures;
  if (sockets === 0) return ok(name, 'free');
  const value = `${sockets} socket(s), ${drops} datagrams dropped since it was opened, ${queueBytes} bytes waiting`;
  if (queueBytes > WANTED_BUFFER_BYTES / 4) return problem(name, value, 'queueBackingUp');
  if (sockets > 1) {
    const advice =
      'several sockets share the port, and each datagram reaches one of them: end all programs but one';
    return { name, value, verdict: 'problem', advice };
  }
  // The kernel does not say when: whether they are recent, a runtime that is up says of its listener.
  return drops === 0 ? ok(name, value) : { name, value, verdict: 'note', advice: DROPS_ADVICE };
}

function listenerFindings({ address, datagrams, receiveBufferBytes, symptoms }: RunningListener): Finding[] {
  const name = `listener ${address}`;
  const value = `${datagrams} datagrams read, receive buffer ${receiveBufferBytes} bytes`;
  return symptoms.length === 0 ? [ok(name, value)] : symptoms.map((symptom) => problem(name, value, symptom));
}

function problem(name: string, value: string, symptom: Symptom): Finding {
  return {
    name,
    value: `${symptom}: ${value}`,
    verdict: 'problem',
    advice: `${SYMPTOMS[symptom]}; ${ADVICE[symptom]}`,
  };
}
