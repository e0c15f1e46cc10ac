/** What is said in a call, with engines that answer as written down: turns, order, failures, silence, keys. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_TURN_CONFIG } from '../../src/turn/turn-config.ts';
import { AGENT, CallHarness, pass, useFakeClock } from './call-harness.ts';
import { Gate } from './gate.ts';

useFakeClock();

const { noInput } = DEFAULT_TURN_CONFIG;
const BROKEN = new Error('broken on purpose');
/** The endpoint, the engines and the first packet: a turn has begun to be answered by then. */
const TURN_MS = 600;

/** The caller speaks and is answered to the end. */
async function takeTurn(harness: CallHarness): Promise<void> {
  await harness.speak(800);
  await pass(TURN_MS);
  await harness.untilSilent();
}

describe('the greeting', () => {
  it('is said first, without asking LLaMA', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    expect(harness.engines.tts.sentences).toEqual(['Hello there.']);
    expect(harness.heardSentences).toEqual([1]);
    expect(harness.engines.llama.asked).toEqual([]);
    await harness.call.end('caller', 'bye');
    expect(harness.reports[0]?.greetingMs).toBeGreaterThanOrEqual(0);
    expect(harness.turns).toEqual([]);
  });

  it('is cut into sentences like a reply', async () => {
    const harness = new CallHarness({ agent: { greeting: 'Hello. This is Dr. Who. How are you?' } });
    await harness.establishAndGreet();
    expect(harness.engines.tts.sentences).toEqual(['Hello.', 'This is Dr. Who.', 'How are you?']);
    expect(harness.heardSentences).toEqual([1, 2, 3]);
    await harness.call.end('caller', 'bye');
  });

  it('is left out when empty: the caller speaks first', async () => {
    const harness = new CallHarness({ agent: { greeting: '' } });
    await harness.establish();
    await takeTurn(harness);
    expect(harness.engines.llama.asked[0]?.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(harness.engines.tts.sentences).toEqual(['Fine.']);
    await harness.call.end('caller', 'bye');
  });
});

describe('a turn', () => {
  it('is heard on the tape, answered by LLaMA and spoken', async () => {
    const harness = new CallHarness();
    harness.engines.whisper.script.push('a table for two');
    harness.engines.llama.script.push(['For which', ' day?']);
    await harness.establishAndGreet();
    await takeTurn(harness);
    const [task] = harness.engines.whisper.tasks;
    expect((task?.toSample ?? 0) - (task?.fromSample ?? 0)).toBeGreaterThanOrEqual(800 * 8);
    expect(harness.engines.llama.asked).toEqual([
      [
        { role: 'system', text: AGENT.systemPrompt },
        { role: 'assistant', text: AGENT.greeting },
        { role: 'user', text: 'a table for two' },
      ],
    ]);
    expect(harness.engines.tts.sentences.slice(1)).toEqual(['For which day?']);
    expect(harness.turns).toHaveLength(1);
    expect(harness.turns[0]).toMatchObject({
      input: 'speech',
      heard: 'a table for two',
      reply: 'For which day?',
      outcome: 'replied',
      bargeIn: false,
      bargeInDecidedAtMs: null,
      bargeInToSilenceMs: null,
    });
    await harness.call.end('caller', 'bye');
    expect(harness.reports[0]?.turns).toBe(1);
  });

  it('speaks the sentences of a streamed reply in order, the first while the rest is being written', async () => {
    const harness = new CallHarness();
    const rest = new Gate<string>();
    harness.engines.llama.script.push(['The table is', ' booked. See', rest, ' day. Bye']);
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(TURN_MS);
    expect(harness.engines.tts.sentences.slice(1)).toEqual(['The table is booked.']);
    expect(harness.heardSentences).toEqual([1, 2]);
    rest.open(' you on Friday. Have a nice');
    await harness.untilSilent();
    expect(harness.engines.tts.sentences.slice(2)).toEqual(['See you on Friday.', 'Have a nice day.', 'Bye']);
    expect(harness.heardSentences).toEqual([1, 2, 3, 4, 5]);
    expect(harness.turns[0]?.reply).toBe('The table is booked. See you on Friday. Have a nice day. Bye');
    await harness.call.end('caller', 'bye');
  });

  it('remembers the turns before', async () => {
    const harness = new CallHarness();
    harness.engines.whisper.script.push('one', 'two');
    harness.engines.llama.script.push(['First.'], ['Second.']);
    await harness.establishAndGreet();
    await takeTurn(harness);
    await takeTurn(harness);
    expect(harness.engines.llama.asked[1]?.map(({ text }) => text)).toEqual([
      AGENT.systemPrompt,
      AGENT.greeting,
      'one',
      'First.',
      'two',
    ]);
    expect(harness.turns.map(({ turnId }) => turnId)).toEqual([2, 3]);
    await harness.call.end('caller', 'bye');
  });

  it('said just before a reply ends is the next turn, and the one before still counts as replied', async () => {
    const harness = new CallHarness();
    harness.engines.whisper.script.push('one', 'yes');
    harness.engines.llama.script.push(['Is that a table for two?'], ['Good.']);
    await harness.establishAndGreet();
    await harness.speak(800);
    const replyMs = 'Is that a table for two?'.length * 40;
    await pass(420 + replyMs - 740);
    await harness.speak(70); // too short to interrupt, and over for 600 ms when the reply ends
    await pass(1500);
    expect(harness.turns.map(({ heard, outcome, reply }) => [heard, outcome, reply])).toEqual([
      ['one', 'replied', 'Is that a table for two?'],
      ['yes', 'replied', 'Good.'],
    ]);
    await harness.call.end('caller', 'bye');
  });

  it('in which nothing was said leaves the floor to the caller', async () => {
    const harness = new CallHarness();
    harness.engines.whisper.script.push('');
    await harness.establishAndGreet();
    await harness.speak(120);
    await pass(1000);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['nothingHeard']);
    expect(harness.engines.tts.sentences).toEqual(['Hello there.']);
    await takeTurn(harness);
    expect(harness.turns.at(-1)?.outcome).toBe('replied');
    await harness.call.end('caller', 'bye');
  });

  it('that was speech but could not be understood is asked for again', async () => {
    const harness = new CallHarness();
    harness.engines.whisper.script.push('');
    await harness.establishAndGreet();
    await takeTurn(harness);
    expect(harness.engines.tts.sentences.at(-1)).toBe(AGENT.apology);
    expect(harness.engines.llama.asked).toEqual([]);
    expect(harness.turns[0]).toMatchObject({ heard: '', reply: AGENT.apology });
    await takeTurn(harness);
    expect(harness.turns[1]).toMatchObject({ heard: 'hello', outcome: 'replied' });
    await harness.call.end('caller', 'bye');
  });
});

describe('an engine that fails', () => {
  const failures: [string, (harness: CallHarness) => void][] = [
    ['Whisper', (harness) => harness.engines.whisper.script.push(BROKEN)],
    ['LLaMA', (harness) => harness.engines.llama.script.push([BROKEN])],
    ['LLaMA after some words', (harness) => harness.engines.llama.script.push(['Well, ', BROKEN])],
    ['LLaMA, by saying nothing', (harness) => harness.engines.llama.script.push([' '])],
    ['the TTS', (harness) => harness.engines.tts.script.push(BROKEN)],
  ];

  it.each(failures)('%s: the agent apologises and the call goes on', async (_name, breakIt) => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    breakIt(harness);
    await takeTurn(harness);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['failed']);
    expect(harness.engines.tts.sentences.at(-1)).toBe(AGENT.apology);
    await takeTurn(harness);
    expect(harness.turns[1]).toMatchObject({ outcome: 'replied', reply: 'Fine.', bargeIn: false });
    expect(harness.reports).toEqual([]);
    await harness.call.end('caller', 'bye');
  });

  it('in the middle of a reply: it stops at once, which is no barge-in', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    harness.engines.llama.script.push(['The first sentence is quite long. The second fails.']);
    harness.engines.tts.script.push(null, new Gate());
    const gate = harness.engines.tts.script[1] as Gate<string>;
    await harness.speak(800);
    await pass(TURN_MS);
    expect(harness.heardSentences).toEqual([1, 2]);
    gate.fail(BROKEN);
    await pass(0);
    const played = harness.media.playedSamples.filter((value) => value === 2).length;
    await harness.untilSilent();
    expect(harness.media.playedSamples.filter((value) => value === 2).length).toBe(played);
    expect(harness.engines.tts.sentences.at(-1)).toBe(AGENT.apology);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['failed']);
    await takeTurn(harness);
    expect(harness.turns[1]).toMatchObject({ outcome: 'replied', bargeIn: false, bargeInToSilenceMs: null });
    await harness.call.end('caller', 'bye');
  });

  it('three times in a row: the agent says goodbye and hangs up', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    harness.engines.llama.script.push([BROKEN], [BROKEN], [BROKEN]);
    await takeTurn(harness);
    await takeTurn(harness);
    await takeTurn(harness);
    await pass(2000);
    expect(harness.engines.tts.sentences.at(-1)).toBe(AGENT.goodbye);
    expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    expect(harness.reports[0]).toMatchObject({ endedBy: 'agent', reason: 'failed' });
  });

  it('a failure between good turns does not add up', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    for (let i = 0; i < 4; i++) {
      harness.engines.llama.script.push([BROKEN], ['Fine.']);
      await takeTurn(harness);
      await takeTurn(harness);
    }
    expect(harness.reports).toEqual([]);
    await harness.call.end('caller', 'bye');
  });

  it.each([
    ['Whisper', DEFAULT_TURN_CONFIG.guards.transcribingMaxMs],
    ['LLaMA', DEFAULT_TURN_CONFIG.guards.thinkingMaxMs],
  ])(
    '%s, by never answering: the turn is given up, and a late answer is not heard',
    async (engine, limitMs) => {
      const harness = new CallHarness();
      const never = new Gate<string>();
      await harness.establishAndGreet();
      if (engine === 'Whisper') harness.engines.whisper.script.push(never);
      else harness.engines.llama.script.push([never]);
      await harness.speak(800);
      await pass(limitMs + TURN_MS);
      expect(harness.engines.tts.sentences).toEqual([AGENT.greeting, AGENT.apology]);
      expect(harness.turns.map(({ outcome }) => outcome)).toEqual(['failed']);
      never.open('too late');
      await harness.untilSilent();
      expect(harness.engines.tts.sentences).toEqual([AGENT.greeting, AGENT.apology]);
      expect(harness.turns).toHaveLength(1);
      await harness.call.end('caller', 'bye');
    },
  );
});

describe("a reply that ends with the agent's goodbye", () => {
  it('is the last: the agent hangs up when it was heard', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    harness.engines.llama.script.push(['You are welcome. ', 'Bye', ' now.']);
    await takeTurn(harness);
    await pass(1000);
    expect(harness.heardSentences).toEqual([1, 2, 3]);
    expect(harness.turns.map(({ outcome, reply }) => [outcome, reply])).toEqual([
      ['replied', 'You are welcome. Bye now.'],
    ]);
    expect(harness.reports[0]).toMatchObject({ endedBy: 'agent', reason: 'farewell' });
    expect(harness.dialog.byesSent).toBe(1);
  });

  it('is the last although LLaMA took its time to stop after it', async () => {
    const harness = new CallHarness();
    const stop = new Gate<string>();
    await harness.establishAndGreet();
    harness.engines.llama.script.push(['Bye now.', '\n', stop]);
    await takeTurn(harness);
    stop.open('');
    await pass(1000);
    expect(harness.reports[0]).toMatchObject({ endedBy: 'agent', reason: 'farewell' });
  });

  it('only at its end, and not when no goodbye is configured', async () => {
    const harness = new CallHarness({ agent: { goodbye: '' } });
    await harness.establishAndGreet();
    harness.engines.llama.script.push(['Bye now.']);
    await takeTurn(harness);
    const other = new CallHarness();
    await other.establishAndGreet();
    other.engines.llama.script.push(['Bye now. Or is there more?']);
    await takeTurn(other);
    await pass(1000);
    expect([...harness.reports, ...other.reports]).toEqual([]);
    await Promise.all([harness.call.end('caller', 'bye'), other.call.end('caller', 'bye')]);
  });
});

describe('keys', () => {
  it('are a turn of their own, ended by #', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    for (const digit of '42#') {
      harness.press(digit);
      await pass(150);
    }
    await harness.untilSilent();
    expect(harness.engines.llama.asked[0]?.at(-1)).toEqual({ role: 'user', text: 'four two' });
    expect(harness.turns[0]).toMatchObject({
      input: 'dtmf',
      heard: 'four two',
      reply: 'Fine.',
      outcome: 'replied',
    });
    expect(harness.engines.whisper.tasks).toEqual([]);
    await harness.call.end('caller', 'bye');
  });

  it('end with a pause, too', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    harness.press('7');
    await pass(DEFAULT_TURN_CONFIG.digits.interDigitMs - 10);
    expect(harness.engines.llama.asked).toEqual([]);
    await pass(20);
    expect(harness.engines.llama.asked[0]?.at(-1)?.text).toBe('seven');
    await harness.untilSilent();
    expect(harness.turns[0]?.stagesMs).toMatchObject({
      uplink: 0,
      endpoint: DEFAULT_TURN_CONFIG.digits.interDigitMs,
    });
    await harness.call.end('caller', 'bye');
  });

  it('silence the agent at once', async () => {
    const digits = { ...DEFAULT_TURN_CONFIG.digits, isSingleDigit: true };
    const harness = new CallHarness({ turnConfig: { ...DEFAULT_TURN_CONFIG, digits } });
    harness.engines.llama.takesTime = true;
    await harness.establish();
    await pass(100);
    const played = harness.media.playedSamples.length;
    harness.press('4');
    await pass(25);
    expect(harness.media.playedSamples.length).toBe(played);
    await harness.untilSilent();
    await pass(TURN_MS);
    expect(harness.turns[0]).toMatchObject({ input: 'dtmf', heard: 'four', bargeIn: true });
    expect(harness.turns[0]?.bargeInToSilenceMs).toBeGreaterThan(0);
    expect(harness.turns[0]?.bargeInToSilenceMs).toBeLessThanOrEqual(20);
    await harness.call.end('caller', 'bye');
  });
});

describe('a silent caller', () => {
  it('is asked as often as configured, then the agent says goodbye and hangs up', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    await pass((noInput.maxPrompts + 1) * (noInput.promptAfterMs + 2000));
    const prompts = Array<string>(noInput.maxPrompts).fill(AGENT.noInputPrompt);
    expect(harness.engines.tts.sentences).toEqual([AGENT.greeting, ...prompts, AGENT.goodbye]);
    expect(harness.heardSentences).toHaveLength(2 + noInput.maxPrompts);
    expect(harness.reports[0]).toMatchObject({ endedBy: 'agent', reason: 'noInput' });
    expect(harness.dialog.byesSent).toBe(1);
    expect(harness.turns).toEqual([]);
  });

  it('who answers the prompt goes on as before', async () => {
    const harness = new CallHarness();
    await harness.establishAndGreet();
    await pass(noInput.promptAfterMs);
    await harness.untilSilent();
    expect(harness.engines.tts.sentences.at(-1)).toBe(AGENT.noInputPrompt);
    await takeTurn(harness);
    expect(harness.turns[0]?.outcome).toBe('replied');
    await pass(noInput.promptAfterMs - 1000);
    expect(harness.reports).toEqual([]);
    await harness.call.end('caller', 'bye');
  });
});
