/**
 * Text to a neighbour that listens (8083 or 8090): one connection per call, connected before it is needed, closed with
 * BYE when the call ends, so that no past call leaves one behind. What cannot be sent yet is kept, within bounds.
 * Thread: main.
 */
import { type ControlContext, helloFrame, type LegName } from '../control-context.ts';
import { PersistentLeg } from '../net/persistent-leg.ts';
import type { Endpoint } from '../net/transport.ts';
import { byeFrame, LEG_RULES, lengthPrefixed } from '../wire/frames.ts';
import type { TextSink } from './text-sink.ts';

/** Texts that wait for a connection; the oldest makes room. */
const MAX_WAITING_TEXTS = 32;

export class TextLinks implements TextSink {
  readonly #context: ControlContext;
  readonly #leg: LegName;
  readonly #endpoint: Endpoint;
  readonly #links = new Map<number, TextLink>();

  constructor(context: ControlContext, leg: LegName, endpoint: Endpoint) {
    this.#context = context;
    this.#leg = leg;
    this.#endpoint = endpoint;
  }

  /** Calls that have a link, connected or not. */
  get size(): number {
    return this.#links.size;
  }

  begin(callId: number): void {
    this.#linkOf(callId);
  }

  text(callId: number, text: string): void {
    this.#linkOf(callId).text(text);
  }

  /** No answer came to what was sent: the connection is taken for lost. */
  renew(callId: number): void {
    this.#links.get(callId)?.renew();
  }

  end(callId: number): void {
    this.#links.get(callId)?.close();
    this.#links.delete(callId);
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #linkOf(callId: number): TextLink {
    const known = this.#links.get(callId);
    if (known !== undefined) return known;
    const link = new TextLink(this.#context, this.#leg, this.#endpoint, callId);
    this.#links.set(callId, link);
    return link;
  }
}

class TextLink {
  readonly #context: ControlContext;
  readonly #leg: PersistentLeg;
  readonly #waiting: string[] = [];

  constructor(context: ControlContext, name: LegName, endpoint: Endpoint, callId: number) {
    const { metrics } = context;
    this.#context = context;
    this.#leg = new PersistentLeg({
      ...context,
      endpoint: () => endpoint,
      rules: LEG_RULES.textBack,
      hello: () => helloFrame(context, callId),
      onUp: (tookMs) => {
        metrics.connectSeconds.observe({ leg: name }, tookMs / 1000);
        metrics.connections.inc({ leg: name });
        for (const text of this.#waiting.splice(0)) this.#send(text);
      },
      onDown: () => metrics.connections.dec({ leg: name }),
      // A service without a next one answers here; nobody asked for it.
      onFrame: () => context.count('textIgnored'),
    });
    this.#leg.want();
  }

  text(text: string): void {
    if (this.#send(text)) return;
    if (this.#waiting.length >= MAX_WAITING_TEXTS) {
      this.#waiting.shift();
      this.#context.count('textDropped');
    }
    this.#waiting.push(text);
    this.#leg.want();
  }

  renew(): void {
    this.#leg.renew();
  }

  close(): void {
    this.#leg.close(byeFrame());
  }

  #send(text: string): boolean {
    return this.#leg.send(lengthPrefixed(text));
  }
}
