/**
 * Seeded mutations of valid messages, in and out of dialogs: the agent never throws, answers a good call during
 * and after, and is empty again when the timers have run.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { requestText, SDP } from './sip-text.ts';
import { MORE_MESSAGES, TORTURE_MESSAGES } from './torture-messages.ts';

const ROUNDS = 4000;
const GOOD_CALL_EVERY = 200;
const PIECES = [
  '\r\n',
  '\r\n ',
  '\n',
  '\0',
  ':',
  ';',
  ',',
  '"',
  '<',
  '>',
  '\\',
  '%',
  '@',
  '=',
  '99999999999',
  '-1',
  ' ',
  '\t',
  '\u00ff',
  'SIP/2.0',
  'Via: ',
  ';tag=',
  ';branch=z9hG4bK',
  '[::1]',
  'sip:',
];

let peer: ScriptedPeer;

afterEach(() => peer.stop());

describe('messages from a stranger', () => {
  it(`are survived ${ROUNDS} times`, async () => {
    const random = new SeededRandom(printedSeed('sip fuzz'));
    peer = await ScriptedPeer.start({ onInvite: (invite) => answerSomehow(invite, random) });
    for (let round = 0; round < ROUNDS; round++) {
      const toTag = random.isTrue(0.4) ? peer.agentTag : undefined;
      peer.sendText(mutate(seedMessage(random, toTag), random));
      if (peer.sent.length > 50) peer.sent.splice(0, 40);
      if (round % GOOD_CALL_EVERY === 0) expectGoodCall(peer, `good-${round}`);
      if (round % 50 === 0) await peer.wait(random.integer(0, 5000));
    }
    expect(failures(peer)).toEqual({});
    for (const invite of peer.invites) invite.reject(486);
    await peer.wait(200_000);
    expect([peer.agent.openDialogs, peer.agent.pendingTransactions]).toEqual([0, 0]);
  });
});

type Invite = ScriptedPeer['invites'][number];

function answerSomehow(invite: Invite, random: SeededRandom): void {
  if (invite.sipCallId.startsWith('good')) {
    void invite.accept(SDP).catch(() => undefined);
    return;
  }
  if (random.isTrue(0.5)) invite.ring();
  if (random.isTrue(0.6)) {
    void invite.accept(SDP).catch(() => undefined);
    invite.acceptedDialog?.onReinvite(() => (random.isTrue(0.5) ? { answer: SDP } : { reject: 488 }));
    if (random.isTrue(0.3)) void invite.acceptedDialog?.bye();
  } else invite.reject(random.pick([404, 486, 503]));
}

function seedMessage(random: SeededRandom, toTag: string | undefined): string {
  if (random.isTrue(0.2)) return random.pick([...TORTURE_MESSAGES, ...MORE_MESSAGES]).text;
  const method = random.pick(['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'MESSAGE']);
  const callId = `fuzz-${random.integer(1, 40)}`;
  return requestText({
    method,
    callId,
    branch: `fuzz-${random.integer(1, 60)}`,
    cseq: random.integer(1, 4),
    ...(toTag === undefined ? {} : { toTag }),
  });
}

function mutate(text: string, random: SeededRandom): string {
  let mutated = text;
  for (let times = random.integer(0, 3); times > 0; times--) {
    const at = random.integer(0, mutated.length);
    const gone = random.isTrue(0.5) ? random.integer(0, 20) : 0;
    const added = random.isTrue(0.6) ? random.pick(PIECES) : '';
    mutated = mutated.slice(0, at) + added + mutated.slice(at + gone);
  }
  return mutated;
}

function expectGoodCall(on: ScriptedPeer, callId: string): void {
  on.takeSent();
  on.send({ callId, branch: callId });
  const toTag = on.agentTag;
  on.send({ method: 'ACK', callId, branch: `${callId}-ack`, toTag });
  on.send({ method: 'BYE', callId, branch: `${callId}-bye`, toTag, cseq: 2 });
  expect(on.takeSent()).toEqual(['200 INVITE', '200 BYE']);
}

/** Counters of things that went wrong inside; the ACK that never comes is the fuzzer's doing. */
function failures(on: ScriptedPeer): Record<string, number> {
  const entries = Object.entries(on.agent.counters());
  return Object.fromEntries(
    entries.filter(([name]) => name.startsWith('failed.') && name !== 'failed.ack_timeout'),
  );
}
