/**
 * The four ways in which registration has been seen to go silent, told apart by figures. Thread: main. Pure.
 */

/** What a registration listener knows of itself. */
export interface ListenerFigures {
  readonly name: string;
  readonly address: string;
  readonly isOpen: boolean;
  readonly receiveBufferBytes: number;
  readonly queueBytes: number;
  readonly kernelDrops: number;
  readonly datagrams: number;
  readonly errors: number;
}

export const SYMPTOMS = {
  packetsNotArriving: 'the kernel dropped datagrams of ours: the receive buffer was full, or too small',
  socketInvalid: 'the registration socket is not open; it is bound again twice a second',
  socketError: 'the registration socket reported errors; the log has them',
  queueBackingUp: 'datagrams wait unread: the main thread is too busy',
} as const;

export type Symptom = keyof typeof SYMPTOMS;

/** A queue this full is backing up. */
const FULL_SHARE = 0.25;

/** What is wrong now. @param before figures of an earlier look; counters are compared with them, null with zero */
export function symptomsOf(now: ListenerFigures, before: ListenerFigures | null): Symptom[] {
  const holds: Record<Symptom, boolean> = {
    packetsNotArriving: now.kernelDrops > (before?.kernelDrops ?? 0),
    socketInvalid: !now.isOpen,
    socketError: now.errors > (before?.errors ?? 0),
    queueBackingUp: now.isOpen && now.queueBytes > FULL_SHARE * now.receiveBufferBytes,
  };
  return (Object.keys(holds) as Symptom[]).filter((symptom) => holds[symptom]);
}
