/**
 * What `doctor` finds of the SIP and HTTP ports: free, in use by the Wildfire that is up, or why `start` could not bind
 * them. Binds each for a moment. Thread: main.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';
import type { Config } from '../../config/schema.ts';
import { type Finding, ok } from './finding.ts';
import { holdsPort, type RunningWildfire } from './running-wildfire.ts';

interface Port {
  readonly kind: 'sip udp' | 'http tcp';
  readonly name: string;
  /** Section of the configuration that has its address and number. */
  readonly section: 'sip' | 'web';
  readonly address: string;
  readonly port: number;
}

/** @param running the Wildfire that answers on the HTTP port, null when none does */
export async function inspectPorts(
  { sip, web }: Config,
  running: RunningWildfire | null,
): Promise<Finding[]> {
  const udp: Port = {
    kind: 'sip udp',
    name: `SIP port udp ${sip.bindAddress}:${sip.port}`,
    section: 'sip',
    address: sip.bindAddress,
    port: sip.port,
  };
  const tcp: Port = {
    kind: 'http tcp',
    name: `HTTP port tcp ${web.bindAddress}:${web.port}`,
    section: 'web',
    address: web.bindAddress,
    port: web.port,
  };
  return [
    await inspect(udp, bindUdp, running),
    web.enabled ? await inspect(tcp, bindTcp, running) : ok(tcp.name, 'not used'),
  ];
}

async function inspect(
  port: Port,
  bind: (port: Port) => Promise<void>,
  running: RunningWildfire | null,
): Promise<Finding> {
  try {
    await bind(port);
    return ok(port.name, 'free');
  } catch (thrown) {
    const error = thrown as NodeJS.ErrnoException;
    const isTaken = error.code === 'EADDRINUSE';
    if (isTaken && running !== null && holdsPort(running, port.kind, port)) {
      return ok(port.name, 'in use by the Wildfire that is running');
    }
    const advice = isTaken
      ? `stop the program that has it, or choose another with --set ${port.section}.port=N`
      : `choose an address of this box, and a port that is allowed, with ${port.section}.bindAddress and ${port.section}.port`;
    return { name: port.name, value: error.message, verdict: 'problem', advice };
  }
}

async function bindUdp({ address, port }: Port): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
  } finally {
    socket.close();
  }
}

async function bindTcp({ address, port }: Port): Promise<void> {
  const server = createServer();
  server.listen(port, address);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
