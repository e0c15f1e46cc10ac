/** Datagrams that the kernel threw away because a receiver's buffer was full. Source: proc(5), /proc/net/udp. */
import { readFileSync } from 'node:fs';

/** @returns the drops of all IPv4 sockets on that port; null when there is none */
export function kernelDrops(port: number): number | null {
  const rows = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16) === port);
  if (rows.length === 0) return null;
  return rows.reduce((sum, row) => sum + Number(row.at(-1)), 0);
}
