/** `call`, run as a user does: against a runtime that answers, and against a far side that does not want to talk. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_STAGES } from '../../src/call/reports.ts';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { SipUserAgent } from '../../src/sip/user-agent.ts';
import { expectMistake, type Finished, wildfire } from '../cli/wildfire.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../models/test-pack.ts';
import { TEST_SETTINGS } from '../runtime/test-settings.ts';

const QUESTION = fileURLToPath(new URL('../fixtures/utterances/opening-hours.wav', import.meta.url));
const LOOPBACK = '127.0.0.1';

function call(uri: string, ...args: readonly string[]): Promise<Finished> {
  return wildfire(['call', uri, '--set', `models.callerPack=${TEST_PACK_FOLDER}`, ...args]);
}

describe.skipIf(!hasTestPack('manifest.json'))('call', { timeout: 60_000 }, () => {
  let runtime: RuntimeProcess;

  beforeAll(async () => {
    runtime = await RuntimeProcess.start([...TEST_SETTINGS, 'agent.greeting=Hello.']);
  });

  afterAll(async () => {
    expect(await runtime.stop()).toBe(0);
  });

  it('plays a recording, hears the answer, and prints what it measured', async () => {
    const run = await call(`sip:x@${LOOPBACK}:${runtime.sipPort}`, '--wav', QUESTION, '--json');
    expect(run.exitCode, run.stderr).toBe(0);
    const document = JSON.parse(run.stdout);
    expect(document).toMatchObject({
      ok: true,
      calls: [{ endedBy: 'caller', goalsMet: true, ledger: null, rtp: { lost: 0 } }],
    });
    const [turn] = document.calls[0].turns;
    expect(turn).toMatchObject({ heard: '', goalMet: true, bargeIn: false, stagesMs: NO_STAGES });
    expect(turn.reply.length).toBeGreaterThan(10);
    expect(turn.voiceToVoiceMs).toBeGreaterThan(0);
    expect(await runtime.callsEnded(1, 5000)).toBe(true);
    expect(runtime.calls[0]).toMatchObject({ endedBy: 'caller', reason: 'bye' });
  });

  it('says with which status it was refused, and exits 1', async () => {
    const options = { bindAddress: LOOPBACK, port: 0, userAgentName: 'busy' };
    const busy = await SipUserAgent.start({ ...options, onInvite: (invite) => invite.reject(486) });
    const run = await call(`sip:x@${LOOPBACK}:${busy.port}`, '--json');
    await busy.close();
    expectMistake(run, 1, [/refused with 486/]);
  });

  it('says that a name leads nowhere, and exits 1', async () => {
    expectMistake(await call('sip:x@no-such-host.invalid'), 1, [/no way to no-such-host\.invalid/]);
  });
});
