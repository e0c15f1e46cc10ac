/** What of a conversation fits the KV cache. */
import { describe, expect, it } from 'vitest';
import { commonPrefixTokens, fitPrompt, openingMessages } from '../../../src/workers/llama/prompt-window.ts';
import type { ChatMessage } from '../../../src/workers/protocol.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const system: ChatMessage = { role: 'system', text: 'S'.repeat(10) };
const greeting: ChatMessage = { role: 'assistant', text: 'G'.repeat(5) };

/** One token per character, and one per message. */
function render(messages: readonly ChatMessage[]): number[] {
  return messages.flatMap(({ text }) => [0, ...[...text].map((character) => character.charCodeAt(0))]);
}

function turns(count: number): ChatMessage[] {
  return Array.from({ length: count }, (_, index): ChatMessage[] => [
    { role: 'user', text: `u${index}`.padEnd(9, '.') },
    { role: 'assistant', text: `a${index}`.padEnd(9, '.') },
  ]).flat();
}

function fitInto(messages: readonly ChatMessage[], budgetTokens: number, droppedMessages = 0) {
  return fitPrompt({ messages, budgetTokens, droppedMessages, render });
}

describe('fitPrompt', () => {
  it('keeps everything while it fits', () => {
    const messages = [system, greeting, ...turns(3)];
    expect(fitInto(messages, 200)).toEqual({ tokens: render(messages), droppedMessages: 0 });
  });

  it('drops the oldest turns, never the system prompt, and begins with a caller turn', () => {
    const messages = [system, greeting, ...turns(9), { role: 'user', text: 'now' } as const];
    const { tokens, droppedMessages } = fitInto(messages, 100);
    expect(tokens.length).toBeLessThanOrEqual(60);
    expect(tokens.slice(0, 11)).toEqual(render([system]));
    expect(messages[1 + droppedMessages]?.role).toBe('user');
    expect(tokens).toEqual(render([system, ...messages.slice(1 + droppedMessages)]));
  });

  it('leaves the same prefix for many turns after a cut', () => {
    let droppedMessages = 0;
    let cuts = 0;
    for (let count = 1; count <= 40; count += 1) {
      const messages = [system, greeting, ...turns(count), { role: 'user', text: 'now' } as const];
      const fitted = fitInto(messages, 200, droppedMessages);
      expect(fitted.tokens.length).toBeLessThanOrEqual(200);
      if (fitted.droppedMessages !== droppedMessages) cuts += 1;
      droppedMessages = fitted.droppedMessages;
    }
    expect(cuts).toBeLessThanOrEqual(12);
  });

  it('keeps the last turn when the history was rewritten shorter than what was dropped', () => {
    const messages = [system, greeting, ...turns(1), { role: 'user', text: 'now' } as const];
    const { tokens } = fitInto(messages, 200, 30);
    expect(tokens).toEqual(render([system, { role: 'user', text: 'now' }]));
  });

  it('refuses a turn that fits no context', () => {
    expect(() => fitInto([system, { role: 'user', text: 'x'.repeat(300) }], 100)).toThrow(
      expect.objectContaining({ code: 'INFERENCE_FAILED' }),
    );
  });

  it('never passes the budget and always ends with the last turn (seeded)', () => {
    const random = new SeededRandom(printedSeed('fitPrompt'));
    for (let round = 0; round < 300; round += 1) {
      const messages: ChatMessage[] = random.isTrue(0.8) ? [system] : [];
      for (let count = random.integer(0, 12); count > 0; count -= 1) {
        messages.push({
          role: random.pick(['user', 'assistant'] as const),
          text: 'm'.repeat(random.integer(1, 20)),
        });
      }
      const last = { role: 'user', text: `last${'.'.repeat(random.integer(1, 20))}` } as const;
      messages.push(last);
      const { tokens, droppedMessages } = fitInto(messages, random.integer(50, 200), random.integer(0, 15));
      expect(tokens.length).toBeLessThanOrEqual(200);
      expect(tokens.slice(-last.text.length - 1)).toEqual(render([last]));
      expect(droppedMessages).toBeLessThan(messages.length);
    }
  });
});

describe('commonPrefixTokens', () => {
  it('counts equal tokens from the start', () => {
    expect(commonPrefixTokens([1, 2, 3], [1, 2, 4])).toBe(2);
    expect(commonPrefixTokens([1, 2], [1, 2, 3])).toBe(2);
    expect(commonPrefixTokens([], [1])).toBe(0);
  });
});

describe('openingMessages', () => {
  it('is what stands before the caller speaks', () => {
    expect(openingMessages([system, greeting, ...turns(1)])).toEqual([system, greeting]);
    expect(openingMessages([system])).toEqual([system]);
    expect(openingMessages(turns(1))).toEqual([]);
  });
});
