/**
 * RTP socket pair: an even UDP port for RTP and the next one for RTCP.
 * Thread: media, built-in caller. Hot: `sendRtp`, and the datagram handlers, are called 50 times a second per call.
 * Source: RFC 3550 section 11 (port pairs), RFC 4961 (symmetric: we send from where we listen).
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { messageOf, WildfireError } from '../errors.ts';

/** Asked of the kernel, which grants at most net.core.rmem_max: half a second of 60-byte-overhead packets and more. */
const RECEIVE_BUFFER_BYTES = 262_144;

/** Called for every datagram, from anyone. The bytes belong to the handler. */
export type DatagramHandler = (bytes: Uint8Array, address: string, port: number) => void;

export interface RtpSocketHandlers {
  readonly onRtp: DatagramHandler;
  readonly onRtcp: DatagramHandler;
  /** A send or receive that failed; the sockets stay open. */
  readonly onError: (code: string) => void;
}

/** What a leg needs of its sockets; tests pass a fake. */
export interface RtpPorts {
  readonly rtpPort: number;
  /** Hands one datagram to the kernel; `bytes` may be reused after three more sends. @throws never */
  sendRtp(bytes: Uint8Array, address: string, port: number): void;
  sendRtcp(bytes: Uint8Array, address: string, port: number): void;
  close(): Promise<void>;
}

/**
 * Binds both ports.
 * @throws WildfireError PORT_IN_USE when either is taken (retryable with another port), INVALID_STATE otherwise
 */
export async function openRtpSockets(
  bindAddress: string,
  rtpPort: number,
  handlers: RtpSocketHandlers,
): Promise<RtpPorts> {
  const rtp = await bindSocket(bindAddress, rtpPort, handlers.onRtp, handlers.onError);
  try {
    const rtcp = await bindSocket(bindAddress, rtpPort + 1, handlers.onRtcp, handlers.onError);
    return new UdpRtpPorts(rtpPort, rtp, rtcp);
  } catch (error) {
    await closeSocket(rtp);
    throw error;
  }
}

class UdpRtpPorts implements RtpPorts {
  readonly rtpPort: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #isClosed = false;

  constructor(rtpPort: number, rtp: Socket, rtcp: Socket) {
    this.rtpPort = rtpPort;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  sendRtp(bytes: Uint8Array, address: string, port: number): void {
    if (!this.#isClosed) this.#rtp.send(bytes, 0, bytes.length, port, address, ignoreSendError);
  }

  sendRtcp(bytes: Uint8Array, address: string, port: number): void {
    if (!this.#isClosed) this.#rtcp.send(bytes, 0, bytes.length, port, address, ignoreSendError);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all([closeSocket(this.#rtp), closeSocket(this.#rtcp)]);
  }
}

// A packet that could not be sent is a lost packet: the next one is 20 ms away, and the peer's reports tell.
function ignoreSendError(): void {}

function bindSocket(
  bindAddress: string,
  port: number,
  onDatagram: DatagramHandler,
  onError: (code: string) => void,
): Promise<Socket> {
  const isV6 = isIPv6(bindAddress);
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    // Addresses are always literal: the default lookup costs an asynchronous hop per packet.
    lookup: (hostname, _options, callback) => callback(null, hostname, isV6 ? 6 : 4),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError(error, bindAddress, port));
    });
    socket.bind({ address: bindAddress, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.on('error', (error: NodeJS.ErrnoException) => onError(error.code ?? 'unknown'));
      socket.on('message', (bytes: Uint8Array, from: RemoteInfo) =>
        onDatagram(bytes, from.address, from.port),
      );
      resolve(socket);
    });
  });
}

function bindError(error: NodeJS.ErrnoException, address: string, port: number): WildfireError {
  const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
  return new WildfireError(
    isTaken ? 'PORT_IN_USE' : 'INVALID_STATE',
    `UDP ${address}:${port}: ${messageOf(error)}`,
    {
      retryable: isTaken,
      context: { address, port },
      cause: error,
    },
  );
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
