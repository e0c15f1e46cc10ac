/** The caller talks over the agent: what stops, what is kept, and what comes too late. */
import { describe, expect, it } from 'vitest';
import { AGENT, CallHarness, pass, useFakeClock } from './call-harness.ts';
import { Gate } from './gate.ts';

useFakeClock();

const LONG_REPLY = 'We open at noon on all days but Monday. We close at ten in the evening.';
const PTIME_MS = 20;

/** A call in which the agent is in the middle of LONG_REPLY. */
async function whileTheAgentTalks(intoReplyMs = 1200): Promise<CallHarness> {
  const harness = new CallHarness();
  harness.engines.whisper.script.push('when do you open');
  harness.engines.llama.script.push([LONG_REPLY]);
  await harness.establishAndGreet();
  await harness.speak(800);
  await pass(400 + intoReplyMs);
  expect(harness.heardSentences).toEqual([1, 2]);
  return harness;
}

describe('barge-in', () => {
  it('silences the agent within one packet, and cancels what was under way', async () => {
    const harness = await whileTheAgentTalks();
    const cancel = harness.engines.whisper.tasks[0]?.cancel ?? new Int32Array(1);
    harness.startSpeaking();
    await pass(175);
    const turnId = harness.engines.tts.turnIds.at(-1) ?? 0;
    expect(cancel[0]).toBeLessThan(turnId);
    await pass(10);
    expect(cancel[0]).toBeGreaterThanOrEqual(turnId);
    const played = harness.media.playedSamples.length;
    await pass(500);
    expect(harness.media.playedSamples.length).toBe(played);
    expect(harness.heardSentences).toEqual([1, 2]);
    await harness.call.end('caller', 'bye');
  });

  it('keeps only the words that were heard, in the report and for LLaMA', async () => {
    const harness = await whileTheAgentTalks();
    harness.engines.whisper.script.push('and on monday');
    await harness.speak(700);
    await pass(600);
    const { reply, outcome } = harness.turns[0] ?? { reply: '', outcome: '' };
    expect(outcome).toBe('bargedIn');
    expect(reply.length).toBeGreaterThan(10);
    expect(LONG_REPLY.startsWith(`${reply} `)).toBe(true);
    const history = harness.engines.llama.asked[1] ?? [];
    expect(history.at(-2)).toEqual({ role: 'assistant', text: reply });
    expect(history.at(-1)).toEqual({ role: 'user', text: 'and on monday' });
    await harness.call.end('caller', 'bye');
  });

  it('is reported with the turn that it begins, and how long the agent could still be heard', async () => {
    const harness = await whileTheAgentTalks();
    await harness.speak(700);
    await pass(600);
    await harness.untilSilent();
    const [before, turn] = harness.turns;
    expect(before).toMatchObject({ outcome: 'bargedIn', bargeIn: false });
    expect(turn).toMatchObject({ outcome: 'replied', bargeIn: true });
    expect(turn?.bargeInDecidedAtMs).toBeLessThan(turn?.decidedAtMs ?? 0);
    expect(turn?.bargeInToSilenceMs).toBeGreaterThanOrEqual(0);
    expect(turn?.bargeInToSilenceMs).toBeLessThanOrEqual(PTIME_MS);
    await harness.call.end('caller', 'bye');
  });

  it('over the greeting works the same', async () => {
    const harness = new CallHarness({
      agent: { greeting: 'Hello, this is a rather long greeting for you.' },
    });
    await harness.establish();
    await pass(800);
    await harness.speak(700);
    await pass(600);
    await harness.untilSilent();
    expect(harness.heardSentences).toEqual([1, 2]);
    const heard = harness.engines.llama.asked[0]?.find(({ role }) => role === 'assistant')?.text ?? '';
    expect(heard).toMatch(/^Hello, this/);
    expect(heard).not.toMatch(/you\.$/);
    await harness.call.end('caller', 'bye');
  });

  it('by a "mm-hm" only: the agent takes its reply up again', async () => {
    const harness = await whileTheAgentTalks();
    harness.engines.whisper.script.push('Mm-hm.');
    await harness.speak(300);
    await pass(700);
    await harness.untilSilent();
    expect(harness.engines.llama.asked).toHaveLength(1);
    expect(harness.engines.tts.sentences.slice(3)).toEqual([
      'We open at noon on all days but Monday.',
      'We close at ten in the evening.',
    ]);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['bargedIn', 'replied']);
    await harness.call.end('caller', 'bye');
  });

  it('by a "mm-hm" while the reply is still being written: it is written and spoken to its end', async () => {
    const harness = new CallHarness();
    harness.engines.whisper.script.push('when do you open', 'Mm-hm.', 'Mm-hm.');
    const slow = [new Gate<string>(), new Gate<string>()];
    harness.engines.llama.script.push(
      ['We open at noon on all days but Monday. ', slow[0]!, 'never said'],
      [' We close at ten in the evening. ', slow[1]!, 'never said'],
      [' May I book a table for you?'],
    );
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(1600);
    for (const gate of slow) {
      await harness.speak(300);
      await pass(700);
      gate.open('This comes too late.');
      await pass(1700);
    }
    await harness.untilSilent();
    const [first, second, third] = [
      'We open at noon on all days but Monday.',
      'We close at ten in the evening.',
      'May I book a table for you?',
    ];
    expect(harness.engines.tts.sentences.slice(1)).toEqual([first, first, second, second, third]);
    expect(harness.engines.llama.prefixes).toEqual(['', first, `${first} ${second}`]);
    for (const messages of harness.engines.llama.asked) {
      expect(messages.at(-1)).toEqual({ role: 'user', text: 'when do you open' });
    }
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['bargedIn', 'bargedIn', 'replied']);
    await harness.call.end('caller', 'bye');
  });

  it('by a "mm-hm" after the last words, before LLaMA has said that they are: nothing more is said', async () => {
    const harness = new CallHarness();
    harness.engines.whisper.script.push('when do you open', 'Mm-hm.');
    const slow = new Gate<string>();
    harness.engines.llama.script.push(['We open at noon. ', slow], []);
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(2500);
    await harness.speak(300);
    await pass(1000);
    slow.open('');
    await harness.untilSilent();
    expect(harness.engines.tts.sentences.slice(1)).toEqual(['We open at noon.']);
    expect(harness.turns.at(-1)?.outcome).toBe('replied');
    expect(harness.engines.llama.asked).toHaveLength(2);
    await harness.call.end('caller', 'bye');
  });

  it('by a short noise does nothing', async () => {
    const harness = await whileTheAgentTalks();
    await harness.speak(60);
    await harness.untilSilent();
    expect(harness.heardSentences).toEqual([1, 2, 3]);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['replied']);
    await harness.call.end('caller', 'bye');
  });
});

describe('results that come too late', () => {
  it('of Whisper: the caller went on, so his first words come again with the rest', async () => {
    const harness = new CallHarness();
    const late = new Gate<string>();
    harness.engines.whisper.script.push(late, 'a table for four');
    await harness.establishAndGreet();
    await harness.speak(600);
    await pass(450);
    expect(harness.engines.whisper.tasks).toHaveLength(1);
    await harness.speak(600);
    late.open('a table');
    await pass(1500);
    await harness.untilSilent();
    expect(harness.engines.llama.asked.map((messages) => messages.at(-1)?.text)).toEqual([
      'a table for four',
    ]);
    const [first, second] = harness.engines.whisper.tasks;
    expect(second?.fromSample).toBe(first?.fromSample);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['superseded', 'replied']);
    await harness.call.end('caller', 'bye');
  });

  it('of LLaMA: words written after the barge-in are neither spoken nor remembered', async () => {
    const harness = new CallHarness();
    const late = new Gate<string>();
    harness.engines.llama.script.push(
      ['The first sentence is here to be heard. ', late, ' More.'],
      ['Good.'],
    );
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(1400);
    harness.engines.whisper.script.push('stop');
    await harness.speak(700);
    late.open('This comes too late.');
    await pass(600);
    await harness.untilSilent();
    expect(harness.engines.tts.sentences).toEqual([
      AGENT.greeting,
      'The first sentence is here to be heard.',
      'Good.',
    ]);
    expect(JSON.stringify(harness.engines.llama.asked[1])).not.toContain('late');
    await harness.call.end('caller', 'bye');
  });

  it('of the TTS: a sentence ready after the barge-in is not heard', async () => {
    const harness = new CallHarness();
    const late = new Gate<string>();
    harness.engines.llama.script.push(
      ['The first sentence is here to be heard. The second is slow.'],
      ['Good.'],
    );
    await harness.establishAndGreet();
    harness.engines.tts.script.push(null, late);
    await harness.speak(800);
    await pass(1400);
    await harness.speak(700);
    late.open('');
    await pass(600);
    await harness.untilSilent();
    expect(harness.heardSentences).toEqual([1, 2, 4]);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['bargedIn', 'replied']);
    await harness.call.end('caller', 'bye');
  });

  it('of all engines after the call: nothing happens', async () => {
    const harness = new CallHarness();
    const late = new Gate<string>();
    harness.engines.whisper.script.push(late);
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(600);
    await harness.call.end('caller', 'bye');
    late.open('hello?');
    await pass(5000);
    expect(harness.engines.llama.asked).toEqual([]);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['hungUp']);
    expect(harness.reports).toHaveLength(1);
  });
});
