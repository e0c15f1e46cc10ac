/**
 * What a Wildfire that runs on this box says of itself over HTTP: where it listens, and how its registration listeners
 * are. Thread: main of the process that asks.
 */
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { Config } from '../../config/schema.ts';
import { SYMPTOMS, type Symptom } from '../../control-plane/net/symptoms.ts';

const listenerSchema = z.object({
  address: z.string(),
  datagrams: z.number(),
  receiveBufferBytes: z.number(),
  symptoms: z.array(z.enum(Object.keys(SYMPTOMS) as Symptom[])),
});
const statusSchema = z.object({
  /** As `start` prints them: `sip udp 0.0.0.0:5060`. */
  listening: z.array(z.string()),
  /** Null where the control plane is not used. */
  control: z.object({ listeners: z.array(listenerSchema) }).nullable(),
});

export type RunningWildfire = z.output<typeof statusSchema>;
export type RunningListener = z.output<typeof listenerSchema>;

const TIMEOUT_MS = 1000;
const ALL_ADDRESSES: readonly string[] = ['0.0.0.0', '::'];

/** Asks on the configured HTTP port. @returns null when nothing answers there, or it is no Wildfire */
export async function askRunningWildfire({ web }: Config): Promise<RunningWildfire | null> {
  if (!web.enabled || web.port === 0) return null;
  const host = isIPv6(web.bindAddress) ? `[${web.bindAddress}]` : web.bindAddress;
  try {
    const response = await fetch(`http://${host}:${web.port}/api/status`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return statusSchema.parse(await response.json());
  } catch {
    return null;
  }
}

/**
 * Whether it holds a port, so that nobody else can bind it on `address`. Pure.
 * @param kind first words of the line: `sip udp`, `http tcp`
 */
export function holdsPort(
  { listening }: RunningWildfire,
  kind: string,
  { address, port }: { address: string; port: number },
): boolean {
  const [head, tail] = [`${kind} `, `:${port}`];
  return listening
    .filter((line) => line.startsWith(head) && line.endsWith(tail))
    .map((line) => line.slice(head.length, -tail.length))
    .some((held) => held === address || [held, address].some((one) => ALL_ADDRESSES.includes(one)));
}
