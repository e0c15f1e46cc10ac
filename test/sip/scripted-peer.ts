/** A user agent with its network cut off: the test is the peer, message by message, on a clock of its own. */
import { vi } from 'vitest';
import { type IncomingInvite, SipUserAgent, type SipUserAgentOptions } from '../../src/sip/user-agent.ts';
import { catchSent, headerOf, PEER, type RequestText, requestText, type SentMessage } from './sip-text.ts';

export class ScriptedPeer {
  readonly agent: SipUserAgent;
  readonly sent: SentMessage[];
  readonly invites: IncomingInvite[] = [];

  /** @param options.onInvite runs after the INVITE is noted. Timers are fake from now on. */
  static async start(options: Partial<SipUserAgentOptions> = {}): Promise<ScriptedPeer> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const invites: IncomingInvite[] = [];
    const agent = await SipUserAgent.start({
      bindAddress: '127.0.0.1',
      port: 0,
      userAgentName: 'test',
      ...options,
      onInvite: (invite) => {
        invites.push(invite);
        options.onInvite?.(invite);
      },
    });
    return new ScriptedPeer(agent, catchSent(), invites);
  }

  private constructor(agent: SipUserAgent, sent: SentMessage[], invites: IncomingInvite[]) {
    this.agent = agent;
    this.sent = sent;
    this.invites = invites;
  }

  async stop(): Promise<void> {
    await this.agent.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
  }

  /** Lets `durationMs` pass, promises included. */
  async wait(durationMs: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(durationMs);
  }

  sendText(text: string): void {
    this.agent.receive(Buffer.from(text, 'latin1'), PEER);
  }

  send(request: RequestText): void {
    this.sendText(requestText(request));
  }

  /** Start lines of what the agent sent since the last call, without ` SIP/2.0` and versions. */
  takeSent(): string[] {
    return this.sent.splice(0).map(({ text }) => startOf(text));
  }

  /** The last message that the agent sent and the test has not taken. */
  get last(): string {
    return this.sent.at(-1)?.text ?? '';
  }

  /** The agent's tag in the response last sent. */
  get agentTag(): string {
    return /;tag=([^;\s]+)/.exec(headerOf(this.last, 'To') ?? '')?.[1] ?? '';
  }

  /** Answers the request last sent by the agent. */
  respond(
    status: string,
    options: { toTag?: string; body?: string; to?: string; contact?: string | null } = {},
  ): void {
    const request = options.to ?? this.last;
    const body = options.body ?? '';
    const lines = [
      `SIP/2.0 ${status}`,
      `Via: ${headerOf(request, 'Via')}`,
      `From: ${headerOf(request, 'From')}`,
      `To: ${headerOf(request, 'To')}${options.toTag === undefined ? '' : `;tag=${options.toTag}`}`,
      `Call-ID: ${headerOf(request, 'Call-ID')}`,
      `CSeq: ${headerOf(request, 'CSeq')}`,
      ...(options.contact === null ? [] : [`Contact: ${options.contact ?? '<sip:peer@127.0.0.1:5099>'}`]),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    this.sendText(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }
}

/** `200 INVITE` for a response, the method for a request. */
function startOf(text: string): string {
  const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1];
  const method = /^CSeq: \d+ (\S+)/m.exec(text)?.[1] ?? '';
  return status === undefined ? method : `${status} ${method}`;
}
