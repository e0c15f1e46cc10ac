/** A telephone on a loopback socket: sends RTP at a steady pace and keeps every packet that it receives. */
import { createSocket, type Socket } from 'node:dgram';
import { monotonicMs } from '../../src/observability/clock.ts';
import { parseRtpPacket, RtpPacketView } from '../../src/rtp/packet.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';

export interface ReceivedPacket {
  readonly arrivalMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

export class RtpPeer {
  readonly address: string;
  readonly received: ReceivedPacket[] = [];
  readonly packetizer: Packetizer;
  readonly #socket: Socket;

  private constructor(socket: Socket, ssrc: number) {
    this.#socket = socket;
    this.address = socket.address().address;
    this.packetizer = new Packetizer({ ssrc, firstSequence: 65_530, firstTimestamp: 0xffffff00 });
    const view = new RtpPacketView();
    socket.on('message', (bytes) => {
      if (parseRtpPacket(bytes, view) !== 'ok') return;
      const { sequence, timestamp, marker, payloadType, ssrc: from } = view;
      const payload = bytes.slice(view.payloadStart, view.payloadEnd);
      this.received.push({
        arrivalMs: monotonicMs(),
        sequence,
        timestamp,
        marker,
        payloadType,
        ssrc: from,
        payload,
      });
    });
  }

  static async open(address = '127.0.0.1', ssrc = 0x1234): Promise<RtpPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    return new RtpPeer(socket, ssrc);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Sends one packet now. */
  send(toPort: number, payloadType: number, payload: Uint8Array): void {
    const datagram = this.packetizer.next(payloadType, false, payload.length);
    datagram.payload.set(payload);
    this.packetizer.advance(payload.length);
    this.#socket.send(Uint8Array.from(datagram.bytes), toPort, '127.0.0.1');
  }

  /** Sends any bytes. */
  sendRaw(toPort: number, bytes: Uint8Array): void {
    this.#socket.send(bytes, toPort, '127.0.0.1');
  }

  /** Sends `payloads`, one every 20 ms, from an absolute schedule. */
  async stream(toPort: number, payloadType: number, payloads: readonly Uint8Array[]): Promise<void> {
    const startMs = monotonicMs();
    for (const [index, payload] of payloads.entries()) {
      const waitMs = startMs + index * 20 - monotonicMs();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.send(toPort, payloadType, payload);
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

/** Resolves when `holds`, looking every 5 ms; throws after `limitMs`. */
export async function until(holds: () => boolean, limitMs: number): Promise<void> {
  const endMs = monotonicMs() + limitMs;
  while (!holds()) {
    if (monotonicMs() > endMs) throw new Error(`still not so after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
