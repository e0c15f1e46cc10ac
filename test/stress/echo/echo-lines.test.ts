/** The thread of the echo lines from outside: what a line cannot do stays with it, and a thread that died says of what. */
import { afterEach, describe, expect, it } from 'vitest';
import { EchoLines } from '../../../src/stress/echo/echo-lines.ts';

const LOOPBACK = '127.0.0.1';
/** Documentation addresses (RFC 5737): a socket that is bound to loopback can connect to none. */
const ELSEWHERE = '203.0.113.1';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function started(thread?: URL): Promise<EchoLines> {
  const lines = await EchoLines.start(thread);
  closers.push(() => lines.close());
  return lines;
}

describe('the echo lines', () => {
  it('refuse to start a line whose address cannot be connected, and go on with the others', async () => {
    const lines = await started();
    const [broken, sound] = [await lines.open(LOOPBACK), await lines.open(LOOPBACK)];
    const remote = { address: ELSEWHERE, port: 4000, payloadType: 0 };
    await expect(lines.start(broken.line, remote)).rejects.toMatchObject({
      code: 'SIP_TRANSPORT',
      message: expect.stringMatching(/no audio can be sent to 203\.0\.113\.1: connect E[A-Z]+/),
    });
    await lines.start(sound.line, { ...remote, address: LOOPBACK, port: sound.rtpPort });
    expect(await lines.stop(broken.line)).toMatchObject({ sent: 0, received: 0 });
    const { sent, unsent, received } = await lines.stop(sound.line);
    expect(sent).toBeGreaterThan(0);
    expect([unsent, received]).toEqual([0, sent]); // it is connected to itself
  });

  it('say what their thread died of, to whoever waits and to whoever asks later', async () => {
    const mortal = `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ requestId, kind }) => {
        if (kind === 'snapshot') parentPort.postMessage({ requestId, value: null });
        else throw new Error('a reason to die');
      });`;
    const lines = await started(new URL(`data:text/javascript,${encodeURIComponent(mortal)}`));
    const cause = { code: 'WORKER_DIED', message: expect.stringContaining('a reason to die') };
    await expect(lines.open(LOOPBACK)).rejects.toMatchObject(cause);
    await expect(lines.snapshot()).rejects.toMatchObject(cause);
  });
});
