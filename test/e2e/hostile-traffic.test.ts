/**
 * Malformed SIP, SDP, RTP and RTCP at every open port while a call is up: each is dropped or refused and counted,
 * the call is heard and answered all along, and the process takes the next call.
 */
import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyCounts } from '../../src/call/ledger.ts';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { until } from '../media/rtp-peer.ts';
import { hasTestPack } from '../models/test-pack.ts';
import { type TestCall, TestCaller, utterance } from '../runtime/test-caller.ts';
import { TEST_SETTINGS } from '../runtime/test-settings.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { requestText, SDP } from '../sip/sip-text.ts';
import { TORTURE_MESSAGES } from '../sip/torture-messages.ts';

const LOOPBACK = '127.0.0.1';
const SPRAY_EVERY_MS = 5;
const DATAGRAMS_PER_SPRAY = 4;

interface Status {
  readonly activeCalls: number;
  readonly held: Record<string, number>;
  readonly sip: { readonly openDialogs: number; readonly counters: Record<string, number> };
  readonly media: { readonly counters: Record<string, number> };
}

/** SIP that must not become a call: what it offers can never be agreed on. */
function hostileSip(random: SeededRandom): Uint8Array {
  const body = random.pick([SDP.replace('AVP 0', 'AVP 9'), SDP.slice(0, 40), 'not sdp', SDP.repeat(200)]);
  const method = random.pick(['INVITE', 'BYE', 'ACK', 'CANCEL', 'OPTIONS', 'FROB', 'INFO', 'REGISTER']);
  const isHarmless = (outcome: unknown): boolean => outcome !== 'offered';
  const text = random.pick([
    requestText({ method, body: method === 'INVITE' ? body : '', toTag: 'no-such-dialog' }),
    requestText({ method: 'INVITE', body }),
    requestText({ method: 'INVITE', body, replace: { 'Content-Length': 'Content-Length: 99999' } }),
    requestText({ method: 'INVITE', body, replace: { Via: null } }),
    requestText({ method: 'INVITE', body, add: Array(300).fill('X-Pad: y') }),
    random.pick(TORTURE_MESSAGES.filter(({ outcome }) => isHarmless(outcome))).text,
  ]);
  const bytes = Buffer.from(text);
  return random.isTrue(0.3) ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes;
}

/** Packets of strangers: some are good RTP, most are not. */
function hostileRtp(random: SeededRandom): Uint8Array {
  const bytes = Uint8Array.from({ length: random.integer(0, 400) }, () => random.integer(0, 255));
  if (random.isTrue(0.7)) bytes.set([0x80, random.pick([0, 8, 72, 101, 127, 0x80])].slice(0, bytes.length));
  return bytes;
}

/** SIP that is not text at all. */
function noise(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: random.integer(0, 1500) }, () => random.integer(0, 255));
}

describe.skipIf(!hasTestPack('manifest.json'))('hostile traffic during a call', { timeout: 90_000 }, () => {
  const random = new SeededRandom(printedSeed('hostile traffic'));
  let runtime: RuntimeProcess;
  let caller: TestCaller;
  let stranger: Socket;
  let call: TestCall;
  let before: Status;
  let after: Status;
  let sprayed = 0;

  beforeAll(async () => {
    runtime = await RuntimeProcess.start([...TEST_SETTINGS, 'agent.greeting=Hello.']);
    caller = await TestCaller.start();
    stranger = createSocket('udp4');
    await new Promise<void>((resolve) => stranger.bind(0, LOOPBACK, resolve));
  });

  afterAll(async () => {
    stranger?.close();
    await caller?.close();
    expect(await runtime?.stop()).toBe(0);
  });

  async function status(): Promise<Status> {
    const response = await fetch(`http://${LOOPBACK}:${runtime.webPort}/api/status`);
    return (await response.json()) as Status;
  }

  function spray(): void {
    for (let i = 0; i < DATAGRAMS_PER_SPRAY; i++) {
      const rtpPort = call.remoteRtpPort;
      const [bytes, port] = random.pick<() => [Uint8Array, number]>([
        () => [hostileSip(random), runtime.sipPort],
        () => [noise(random), runtime.sipPort],
        () => [hostileRtp(random), rtpPort],
        () => [hostileRtp(random), rtpPort + 1],
      ])();
      stranger.send(bytes, port, LOOPBACK);
      sprayed += 1;
    }
  }

  it('the call is heard and answered all along', async () => {
    call = await caller.dial(runtime.sipPort);
    await call.untilAgentFinished();
    before = await status();
    const spraying = setInterval(spray, SPRAY_EVERY_MS);
    try {
      await call.ask(utterance('opening-hours'));
      await call.ask(utterance('opening-hours'));
    } finally {
      clearInterval(spraying);
    }
    after = await status();
    console.log(`${sprayed} hostile datagrams`);
    expect(runtime.turns.map(({ outcome }) => outcome)).toEqual(['replied', 'replied']);
    for (const { heard } of runtime.turns) expect(heard).toMatch(/what are your/);
  });

  it('each kind was dropped or refused, and counted with its reason', () => {
    const rose = (counters: (status: Status) => Record<string, number>): string[] =>
      Object.entries(counters(after))
        .filter(([name, count]) => count > (counters(before)[name] ?? 0))
        .map(([name]) => name);
    const sip = rose(({ sip: { counters } }) => counters);
    expect(sip.filter((name) => name.startsWith('dropped.')).length).toBeGreaterThanOrEqual(3);
    expect(sip.filter((name) => name.startsWith('refused.')).length).toBeGreaterThanOrEqual(3);
    expect(sip.filter((name) => name.startsWith('failed.'))).toEqual([]);
    const rtp = rose(({ media: { counters } }) => counters);
    for (const reason of ['foreign', 'tooShort', 'badVersion', 'badRtcp']) expect(rtp).toContain(reason);
    expect(after.activeCalls).toBe(1);
  });

  it('the call ends clean', async () => {
    await call.hangUp();
    const isOurs = ({ reason }: { reason: string }): boolean => reason === 'bye';
    await until(() => runtime.calls.some(isOurs), 5000);
    const report = runtime.calls.find(isOurs);
    expect(report).toMatchObject({ endedBy: 'caller', turns: 2, ledger: emptyCounts() });
    expect(report?.rtp).toMatchObject({ underrunFrames: 0, lost: 0 });
  });

  it('the next call is answered as ever, and nothing is left behind', async () => {
    const next = await caller.dial(runtime.sipPort);
    await next.untilAgentFinished();
    await next.hangUp();
    await until(() => runtime.calls.filter(({ reason }) => reason === 'bye').length === 2, 5000);
    expect(await status()).toMatchObject({ activeCalls: 0, held: emptyCounts(), sip: { openDialogs: 0 } });
    for (const { ledger } of runtime.calls) expect(ledger).toEqual(emptyCounts());
  });
});
