/**
 * Keeps a media thread running: when it dies, the calls on it are told (the 'died' event) and the next one takes
 * over. Thread: main.
 */
import { messageOf } from '../errors.ts';
import { MediaClient, type MediaClientOptions } from '../media/media-client.ts';
import type { LegReport, MediaEvent, MediaSnapshot, OpenLeg, StartLeg } from '../media/media-protocol.ts';

export class MediaSupervisor {
  readonly #options: MediaClientOptions;
  readonly #handlers: ((event: MediaEvent) => void)[] = [];
  #client: Promise<MediaClient>;
  #isClosing = false;

  private constructor(options: MediaClientOptions) {
    this.#options = options;
    this.#client = this.#startClient();
  }

  /** Resolves when the media thread runs. */
  static async start(options: MediaClientOptions): Promise<MediaSupervisor> {
    const supervisor = new MediaSupervisor(options);
    await supervisor.#client;
    return supervisor;
  }

  onEvent(handler: (event: MediaEvent) => void): void {
    this.#handlers.push(handler);
  }

  async openLeg(open: OpenLeg): Promise<{ rtpPort: number }> {
    const client = this.#client;
    await client.catch(() => {
      if (client === this.#client) this.#replace(); // else another call has done so
    });
    return (await this.#client).openLeg(open);
  }

  async startLeg(start: StartLeg): Promise<void> {
    return (await this.#client).startLeg(start);
  }

  async closeLeg(callId: number): Promise<LegReport> {
    return (await this.#client).closeLeg(callId);
  }

  async snapshot(): Promise<MediaSnapshot> {
    return (await this.#client).snapshot();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const client = await this.#client.catch(() => null); // it had died and could not be replaced
    await client?.close();
  }

  // When the next thread does not start either, calls are refused (openLeg rejects) and the next one tries again.
  #replace(): void {
    this.#client = this.#startClient();
    this.#client.catch((error: unknown) => {
      const event = {
        kind: 'died',
        message: `no media thread could be started: ${messageOf(error)}`,
      } as const;
      for (const handler of this.#handlers) handler(event);
    });
  }

  async #startClient(): Promise<MediaClient> {
    const client = await MediaClient.start(this.#options);
    client.onEvent((event) => {
      if (event.kind === 'died' && !this.#isClosing) this.#replace();
      for (const handler of this.#handlers) handler(event);
    });
    return client;
  }
}
