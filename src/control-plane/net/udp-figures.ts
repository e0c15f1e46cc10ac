/**
 * What the kernel knows of UDP sockets: datagrams that it dropped because a receive buffer was full, and bytes that
 * wait to be read. Thread: main. Source: proc(5), /proc/net/udp; columns local_address, tx_queue:rx_queue, drops.
 */
import { readFileSync } from 'node:fs';

export interface UdpFigures {
  /** Sockets bound to the port. */
  readonly sockets: number;
  readonly queueBytes: number;
  readonly drops: number;
}

/**
 * Figures of all sockets bound to `port` on any address, or null where the system does not tell.
 * @param table what `readUdpTable` gave, for several ports at one price: reading it takes a millisecond
 */
export function readUdpFigures(port: number, table: string = readUdpTable()): UdpFigures | null {
  return table === '' ? null : sumOf(parseUdpTable(table, port));
}

/** The kernel's tables of UDP sockets; '' where there are none. */
export function readUdpTable(): string {
  return readText('/proc/net/udp') + readText('/proc/net/udp6');
}

/** The rows of one table that belong to `port`. */
export function parseUdpTable(text: string, port: number): UdpFigures[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const columns = line.trim().split(/\s+/);
      const localPort = Number.parseInt(columns[1]?.split(':')[1] ?? '', 16);
      const queueBytes = Number.parseInt(columns[4]?.split(':')[1] ?? '', 16);
      const drops = Number(columns[12]);
      const isOurs = localPort === port && Number.isFinite(queueBytes) && Number.isFinite(drops);
      return isOurs ? [{ sockets: 1, queueBytes, drops }] : [];
    });
}

function sumOf(rows: readonly UdpFigures[]): UdpFigures {
  const sum = { sockets: 0, queueBytes: 0, drops: 0 };
  for (const { sockets, queueBytes, drops } of rows) {
    sum.sockets += sockets;
    sum.queueBytes += queueBytes;
    sum.drops += drops;
  }
  return sum;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not Linux
  }
}
