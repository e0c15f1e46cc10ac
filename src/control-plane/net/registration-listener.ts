/**
 * The UDP side of registration: reads datagrams and hands them on, and nothing else. Nothing here waits for
 * anything: a handler begins a connection and returns. Keeps figures of itself for the four known ways in which
 * registration goes silent, says once in a while that it is alive, and binds again when its socket breaks.
 * Thread: main. Hot under load: one map look-up and no log line per datagram.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { messageOf, type WildfireError } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import { parseDatagram } from '../wire/datagram.ts';
import type { Identity } from '../wire/identity.ts';
import type { AllowList } from './access.ts';
import { listenError } from './listen-error.ts';
import type { ListenerFigures } from './symptoms.ts';
import { readUdpFigures } from './udp-figures.ts';

export type DatagramVerdict = 'register' | 'duplicate' | 'bye' | 'byeUnknown' | 'invalid' | 'refused';

export interface RegistrationHandlers {
  /** @returns whether this was news. Must return at once. */
  readonly onRegister: (callId: number, address: string) => 'register' | 'duplicate' | 'refused';
  readonly onBye: (callId: number) => 'bye' | 'byeUnknown';
}

export interface RegistrationListenerOptions extends RegistrationHandlers {
  /** Word for logs and metrics: whisper, tts. */
  readonly name: string;
  readonly bindAddress: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  /** Lets another program bind the same port; datagrams then go to one of the two. */
  readonly isShared: boolean;
  readonly heartbeatMs: number;
  readonly access: AllowList;
  readonly identity: Identity;
  readonly log: Log;
  readonly onDatagram: (verdict: DatagramVerdict) => void;
  readonly onHeartbeat: () => void;
}

/** A socket that broke is replaced after this long. */
const REBIND_MS = 500;

export class RegistrationListener {
  readonly #options: RegistrationListenerOptions;
  #socket: Socket | null = null;
  #port: number;
  #heartbeat: NodeJS.Timeout | null = null;
  #rebinding: NodeJS.Timeout | null = null;
  #datagrams = 0;
  #datagramsAtHeartbeat = 0;
  #errors = 0;
  #isClosed = false;

  private constructor(options: RegistrationListenerOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** @throws WildfireError as listenError() when the port cannot be bound */
  static async start(options: RegistrationListenerOptions): Promise<RegistrationListener> {
    const listener = new RegistrationListener(options);
    await listener.#bind();
    listener.#heartbeat = setInterval(() => listener.#beat(), options.heartbeatMs);
    return listener;
  }

  get name(): string {
    return this.#options.name;
  }

  get port(): number {
    return this.#port;
  }

  /** Bytes that the kernel granted for datagrams not yet read, its own overhead included. */
  get receiveBufferBytes(): number {
    return this.#socket?.getRecvBufferSize() ?? 0;
  }

  figures(table?: string): ListenerFigures {
    const kernel = readUdpFigures(this.#port, table);
    return {
      name: this.#options.name,
      address: `${this.#options.bindAddress}:${this.#port}`,
      isOpen: this.#socket !== null,
      receiveBufferBytes: this.receiveBufferBytes,
      queueBytes: kernel?.queueBytes ?? 0,
      kernelDrops: kernel?.drops ?? 0,
      datagrams: this.#datagrams,
      errors: this.#errors,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    if (this.#rebinding !== null) clearTimeout(this.#rebinding);
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  async #bind(): Promise<void> {
    const { bindAddress, receiveBufferBytes, isShared } = this.#options;
    const socket = createSocket({
      type: isIPv6(bindAddress) ? 'udp6' : 'udp4',
      recvBufferSize: receiveBufferBytes,
      ...(isShared ? { reuseAddr: true, reusePort: true } : {}),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(this.#bindError(error));
      });
      socket.bind({ address: bindAddress, port: this.#port, exclusive: !isShared }, resolve);
    });
    socket.removeAllListeners('error');
    socket.on('error', (error) => this.#onError(socket, error));
    socket.on('message', (bytes, from) => this.#onMessage(bytes, from));
    this.#port = socket.address().port;
    this.#socket = socket;
  }

  #onMessage(bytes: Uint8Array, from: RemoteInfo): void {
    this.#datagrams += 1;
    this.#options.onDatagram(this.#judge(bytes, from.address));
  }

  #judge(bytes: Uint8Array, address: string): DatagramVerdict {
    const { access, identity, onRegister, onBye } = this.#options;
    if (!access.allows(address)) return 'refused';
    const datagram = parseDatagram(bytes);
    if (datagram === null) return 'invalid';
    const callId = identity.read(datagram.kind, datagram.payload);
    if (typeof callId !== 'number') return callId === 'idInvalid' ? 'invalid' : 'refused';
    return datagram.kind === 'register' ? onRegister(callId, address) : onBye(callId);
  }

  #onError(socket: Socket, error: Error): void {
    this.#errors += 1;
    const { log, name } = this.#options;
    log.error({ listener: name, error: messageOf(error) }, 'the registration socket failed and is replaced');
    if (this.#socket !== socket) return;
    this.#socket = null;
    socket.close();
    this.#rebindLater();
  }

  #rebindLater(): void {
    if (this.#isClosed) return;
    this.#rebinding = setTimeout(() => {
      this.#bind().catch(() => {
        this.#errors += 1;
        this.#rebindLater();
      });
    }, REBIND_MS);
  }

  #beat(): void {
    const { log, name, onHeartbeat } = this.#options;
    const datagrams = this.#datagrams - this.#datagramsAtHeartbeat;
    this.#datagramsAtHeartbeat = this.#datagrams;
    onHeartbeat();
    log.debug(
      { listener: name, datagramsSince: datagrams, ...this.figures() },
      'the registration listener is alive',
    );
  }

  #bindError(error: NodeJS.ErrnoException): WildfireError {
    const { bindAddress, name: role } = this.#options;
    const key = role === 'whisper' ? 'control.whisperPort' : 'control.ttsRegisterPort';
    const port = this.#port;
    const name = `registration port ${bindAddress}:${port} (UDP)`;
    return listenError(error, { name, port, hint: `stop the other program or set ${key}` });
  }
}
