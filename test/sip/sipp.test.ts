/**
 * Interop with sipp (Debian's sip-tester), both ways, also with 15 % of sipp's messages thrown away. Skipped when
 * sipp is not installed; with WILDFIRE_REQUIRE_INTEROP=1 that is a failure.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerOffer, makeOffer } from '../../src/sdp/negotiation.ts';
import { type IncomingInvite, SipUserAgent } from '../../src/sip/user-agent.ts';
import { freeBlock } from '../free-ports.ts';

const isInstalled = spawnSync('sipp', ['-v']).error === undefined;
const isRequired = process.env.WILDFIRE_REQUIRE_INTEROP === '1';
if (!isInstalled)
  console.log('sipp is not installed (apt-get install sip-tester): its interop tests are skipped');

let folder: string;
let agent: SipUserAgent;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wildfire-sipp-'));
  agent = await SipUserAgent.start({
    bindAddress: '127.0.0.1',
    port: 0,
    userAgentName: 'test',
    onInvite: answer,
  });
});

afterEach(async () => {
  await agent.close();
  rmSync(folder, { recursive: true });
});

function answer(invite: IncomingInvite): void {
  const result = answerOffer(invite.offer ?? '', { address: invite.advertisedAddress, port: 40_000 });
  if ('reject' in result) {
    invite.reject(result.reject);
    return;
  }
  invite.ring();
  invite.accept(result.answer).catch(() => undefined);
}

/** Runs sipp as caller. @returns its exit status and how many calls succeeded. */
async function callBySipp(
  calls: number,
  options: readonly string[],
): Promise<{ status: number; successful: number }> {
  const port = await freeBlock(1);
  const args = ['-sn', 'uac', `127.0.0.1:${agent.port}`, '-i', '127.0.0.1', '-p', `${port}`];
  const limits = ['-m', `${calls}`, '-r', '20', '-l', '100', '-d', '100', '-nostdin', '-timeout', '90'];
  return new Promise((resolve) => {
    execFile('sipp', [...args, ...limits, ...options], { cwd: folder }, (error, output) => {
      const successful = Number(/Successful call\s*\|[^|]*\|\s*(\d+)/.exec(output)?.[1] ?? 0);
      resolve({ status: Number(error?.code ?? 0), successful });
    });
  });
}

describe.skipIf(!isInstalled && !isRequired)('sipp', () => {
  it('completes 40 of 40 calls', async () => {
    expect(await callBySipp(40, [])).toEqual({ status: 0, successful: 40 });
    expect(agent.openDialogs).toBe(0);
    expect(agent.counters()['call.answered']).toBe(40);
  }, 60_000);

  it('completes at least 99 of 100 calls when 15 % of its messages are lost', async () => {
    const { successful } = await callBySipp(100, ['-lost', '15']);
    expect(successful).toBeGreaterThanOrEqual(99);
  }, 120_000);

  it('answers our call and takes our BYE', async () => {
    const port = await freeBlock(1);
    const server = spawn('sipp', ['-sn', 'uas', '-i', '127.0.0.1', '-p', `${port}`, '-nostdin'], {
      cwd: folder,
    });
    try {
      const offer = makeOffer({ address: '127.0.0.1', port: 40_000 });
      const { dialog, answerSdp } = await agent.call(`sip:service@127.0.0.1:${port}`, offer).answered;
      expect(answerSdp).toContain('m=audio');
      await dialog.bye();
      expect(agent.openDialogs).toBe(0);
    } finally {
      server.kill();
    }
  }, 30_000);
});
