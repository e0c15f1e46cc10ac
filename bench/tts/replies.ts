/** What the TTS benches say: made-up replies, and those of the evaluation dialogues. Pure but for reading these. */
import { splitSentences } from '../../src/turn/sentence-splitter.ts';
import { readDialogues } from '../models/evaluation-data.ts';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const NAMES = ['Baker', 'Harper', 'Miller', 'Cooper', 'Turner', 'Walker', 'Fisher', 'Mason'];
const NUMBERS = ['two', 'three', 'four', 'five', 'six', 'eight', 'nine'];

/** A reply of two or three sentences; for every index below 49 another one, and an odd one begins with words of its own. */
export function madeUpReply(index: number): string {
  const pick = (words: readonly string[], step: number) => words[Math.floor(index / step) % words.length];
  const [day, name, number] = [pick(DAYS, 1), pick(NAMES, 3), pick(NUMBERS, 7)];
  return index % 2 === 0
    ? `Certainly, your table for ${number} on ${day} is booked under the name ${name}. May I have a phone number, please?`
    : `I am afraid we are fully booked for ${number} on ${day}, Mister ${name}. We could do six o'clock the day after. Would that suit you?`;
}

/** The agent's replies of several sentences, call by call. */
export function agentReplies(): string[] {
  const replies = readDialogues().flatMap(({ turns }) => turns.map(({ reply }) => reply));
  return replies.filter((reply) => splitSentences(reply).length > 1);
}
