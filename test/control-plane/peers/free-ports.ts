/** Ports for a whole old system on loopback: one block of free ones. */
import { freeBlock } from '../../free-ports.ts';

/** The two registrations and the two text legs. */
const SERVICE_PORTS = 4;

/** Where an old system lives. `audioOutBasePort` is one above `audioInBasePort`, as 9002 is above 9001. */
export interface OldPorts {
  readonly audioInRegistrationPort: number;
  readonly audioOutRegistrationPort: number;
  readonly llamaPort: number;
  readonly ttsPort: number;
  /** The lowest id is 1: its ports are the first after the service ports. */
  readonly audioInBasePort: number;
  readonly audioOutBasePort: number;
}

/** @param maxCallId ids go from 1 to this */
export async function freeOldPorts(maxCallId: number): Promise<OldPorts> {
  const first = await freeBlock(SERVICE_PORTS + maxCallId + 2);
  const audioInBasePort = first + SERVICE_PORTS - 1;
  return {
    audioInRegistrationPort: first,
    audioOutRegistrationPort: first + 1,
    llamaPort: first + 2,
    ttsPort: first + 3,
    audioInBasePort,
    audioOutBasePort: audioInBasePort + 1,
  };
}
