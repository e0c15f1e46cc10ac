import { describe, expect, test } from 'vitest';
import { Transcript } from '../../src/turn/transcript.ts';

const RATE_HZ = 8000;

function newTranscript(maxHistoryChars = 10_000): Transcript {
  return new Transcript({ systemPrompt: 'Be kind.', maxHistoryChars, rateHz: RATE_HZ });
}

/** A reply of two sentences, one second each, from `startIndex` of the ring on. */
function speakTwo(transcript: Transcript, turnId: number, startIndex: number): void {
  for (const [index, text] of ['One two three four.', ' Five six seven. '].entries()) {
    const sentence = transcript.addSentence(turnId, text);
    const start = (startIndex + index * RATE_HZ) >>> 0;
    transcript.markSpoken(turnId, sentence, {
      startIndex: start,
      endIndex: (start + RATE_HZ) >>> 0,
      isWhole: true,
    });
  }
  transcript.markGenerated(turnId);
}

describe('history', () => {
  test('user and assistant in turn, after the system prompt', () => {
    const transcript = newTranscript();
    transcript.addUser(1, ' Hello. ');
    speakTwo(transcript, 1, 0);
    transcript.settleReply(1, 2 * RATE_HZ);
    transcript.addUser(2, 'Bye.');
    expect(transcript.messages()).toEqual([
      { role: 'system', text: 'Be kind.' },
      { role: 'user', text: 'Hello.' },
      { role: 'assistant', text: 'One two three four. Five six seven.' },
      { role: 'user', text: 'Bye.' },
    ]);
  });

  test('neighbours of one role are joined, a reply of which nothing was heard is absent', () => {
    const transcript = newTranscript();
    transcript.addUser(1, 'four two');
    speakTwo(transcript, 1, 0);
    transcript.settleReply(1, 0);
    transcript.addUser(2, 'please');
    expect(transcript.messages().slice(1)).toEqual([{ role: 'user', text: 'four two please' }]);
  });

  test('a retracted turn leaves no trace', () => {
    const transcript = newTranscript();
    transcript.addUser(1, 'A table');
    speakTwo(transcript, 1, 0);
    transcript.retract(1);
    expect(transcript.messages()).toHaveLength(1);
    expect(transcript.heardText(1)).toBe('');
  });

  test('a long history loses its older half and still begins with the caller', () => {
    const transcript = newTranscript(400);
    for (let turnId = 1; turnId <= 20; turnId += 1) {
      transcript.addUser(turnId, `question number ${turnId}`);
      speakTwo(transcript, turnId, turnId * 100_000);
      transcript.settleReply(turnId, turnId * 100_000 + 2 * RATE_HZ);
      const messages = transcript.messages();
      const chars = messages.slice(1).reduce((sum, { text }) => sum + text.length, 0);
      expect(chars).toBeLessThanOrEqual(400);
      expect(messages[1]?.role).toBe('user');
      expect(messages.at(-2)).toEqual({ role: 'user', text: `question number ${turnId}` });
    }
  });
});

describe('only words heard', () => {
  test.each([
    [-100, ''],
    [0, ''],
    [1000, ''],
    [1600, 'One'],
    [4000, 'One two'],
    [7999, 'One two three'],
    [8000, 'One two three four.'],
    [12_000, 'One two three four. Five'],
    [15_999, 'One two three four. Five six'],
    [16_000, 'One two three four. Five six seven.'],
    [90_000, 'One two three four. Five six seven.'],
  ])('cut short after %i samples: "%s"', (playedSamples, heard) => {
    for (const startIndex of [0, 1000, 2 ** 32 - 4000, 2 ** 32 - 12_000]) {
      const transcript = newTranscript();
      speakTwo(transcript, 7, startIndex);
      transcript.settleReply(7, (startIndex + playedSamples) >>> 0);
      expect(transcript.heardText(7)).toBe(heard);
    }
  });

  test('what is left begins with the interrupted sentence', () => {
    const transcript = newTranscript();
    speakTwo(transcript, 1, 0);
    expect(transcript.unheardSentences(1)).toEqual([]);
    transcript.settleReply(1, 9000);
    expect(transcript.unheardSentences(1)).toEqual(['Five six seven.']);
  });

  test('a sentence that was still being written counts once its range comes in', () => {
    const transcript = newTranscript();
    const text = 'This is thirty characters long';
    const sentence = transcript.addSentence(1, text);
    transcript.settleReply(1, 8000);
    expect(transcript.heardText(1)).toBe('');
    expect(transcript.unheardSentences(1)).toEqual([text]);
    transcript.markSpoken(1, sentence, { startIndex: 0, endIndex: 8000, isWhole: false });
    expect(transcript.heardText(1)).toBe('This is thirty');
    expect(transcript.unheardSentences(1)).toEqual([text]);
  });

  test('a reply goes on behind all that was written of it, and of what it took up itself behind what was heard', () => {
    const transcript = newTranscript();
    transcript.addUser(1, 'Hello.');
    const range = { startIndex: 0, endIndex: 8000, isWhole: true };
    transcript.markSpoken(1, transcript.addSentence(1, 'One.'), range);
    transcript.addSentence(1, 'Two.');
    transcript.settleReply(1, 9000);
    const messages = [
      { role: 'system', text: 'Be kind.' },
      { role: 'user', text: 'Hello.' },
    ];
    expect(transcript.isGenerated(1)).toBe(false);
    expect(transcript.continuationOf(1)).toEqual({ messages, replyPrefix: 'One. Two.' });
    for (const text of ['Two.', 'Three.']) transcript.addSentence(2, text);
    transcript.settleReply(2, 9000);
    expect(transcript.continuationOf(2)).toEqual({ messages, replyPrefix: 'One. Two. Three.' });
  });

  test('the first settling counts', () => {
    const transcript = newTranscript();
    speakTwo(transcript, 1, 0);
    transcript.settleReply(1, 8000);
    transcript.settleReply(1, 16_000);
    expect(transcript.heardText(1)).toBe('One two three four.');
  });
});

describe('whether the reply is over', () => {
  test('not before all sentences are written, played, and no more will come', () => {
    const transcript = newTranscript();
    const sentence = transcript.addSentence(1, 'Hello.');
    expect(transcript.isPlayed(1, 8000)).toBe(false);
    expect(transcript.firstIndex(1)).toBeNull();
    transcript.markSpoken(1, sentence, { startIndex: 100, endIndex: 8000, isWhole: true });
    expect(transcript.firstIndex(1)).toBe(100);
    expect(transcript.isPlayed(1, 8000)).toBe(false);
    transcript.markGenerated(1);
    expect(transcript.isPlayed(1, 7999)).toBe(false);
    expect(transcript.isPlayed(1, 8000)).toBe(true);
    expect(transcript.isPlayed(2, 8000)).toBe(false);
  });
});
