/** What a caller means to do by what the agent wants: the table behind caller-mind.ts, and how a reply is read. Pure. */
import type { AgentAct } from './agent-speech.ts';

/** Still after its goal; has it (or lost it), and must say so; has said goodbye. */
export type Phase = 'seeking' | 'done' | 'leaving';
export type Intent =
  | 'open'
  | 'answer'
  | 'giveNumber'
  | 'giveBookingName'
  | 'judge'
  | 'tellWhatIsWrong'
  | 'sayAgain'
  | 'askAgain'
  | 'goOn'
  | 'showPresence'
  | 'finish'
  | 'bye'
  | 'hangUp';

/** What the agent said last that calls for something; '' when nothing of it was understood. */
export type Prompt = AgentAct['act'] | '';

const SEEKING: Readonly<Record<Prompt, Intent>> = {
  greeting: 'open',
  howCanIHelp: 'open',
  anythingElse: 'open',
  ask: 'answer',
  askPhone: 'giveNumber',
  askBookingName: 'giveBookingName',
  confirm: 'judge',
  readBack: 'judge',
  askCancel: 'judge',
  isThatCorrect: 'askAgain',
  whatToChange: 'tellWhatIsWrong',
  apology: 'sayAgain',
  noInputPrompt: 'showPresence',
  takeYourTime: 'goOn',
  iHearYou: 'goOn',
  info: 'open',
  booked: 'open',
  cancelled: 'open',
  notCancelled: 'open',
  callBack: 'open',
  handover: 'hangUp',
  goodbye: 'hangUp',
  '': 'askAgain',
};
const ALWAYS = (intent: Intent): Record<Prompt, Intent> =>
  Object.fromEntries(Object.keys(SEEKING).map((prompt) => [prompt, intent])) as Record<Prompt, Intent>;
/** What a caller means to do, by what it has reached and what the agent wants. */
export const INTENTS: Readonly<Record<Phase, Readonly<Record<Prompt, Intent>>>> = {
  seeking: SEEKING,
  done: { ...ALWAYS('finish'), apology: 'sayAgain', goodbye: 'hangUp', handover: 'hangUp' },
  leaving: { ...ALWAYS('bye'), apology: 'sayAgain', goodbye: 'hangUp', handover: 'hangUp' },
};
/** What the caller comes back to after an aside or a pause. */
export const QUESTIONS: readonly Prompt[] = [
  ...(['ask', 'askPhone', 'askBookingName', 'confirm', 'readBack', 'askCancel', 'whatToChange'] as const),
  ...(['howCanIHelp', 'anythingElse'] as const),
];
/** Followed by "is that correct?". */
const NEEDS_IS_THAT_CORRECT: readonly Prompt[] = ['confirm', 'readBack'];
/** Said on the way to something else; what follows them is the prompt. */
const ASIDES: readonly Prompt[] = [
  'info',
  'booked',
  'cancelled',
  'notCancelled',
  'callBack',
  'iHearYou',
  'greeting',
];
export const TROUBLES: readonly Prompt[] = ['', 'apology', 'isThatCorrect', 'noInputPrompt'];

/** The last thing that calls for an answer, or else the last thing said. */
export function promptOf(acts: readonly AgentAct[]): AgentAct | null {
  const whole = acts.filter((act, i) => act.act !== 'isThatCorrect' || !isSentenceStart(acts[i - 1]));
  return whole.findLast(({ act }) => !ASIDES.includes(act)) ?? whole.at(-1) ?? null;
}

function isSentenceStart(act: AgentAct | undefined): boolean {
  return act !== undefined && NEEDS_IS_THAT_CORRECT.includes(act.act);
}

/** Whether what was heard ends in something that wants an answer. */
export function wantsAnswer(acts: readonly AgentAct[]): boolean {
  const last = acts.at(-1)?.act;
  return last !== undefined && !ASIDES.includes(last) && !NEEDS_IS_THAT_CORRECT.includes(last);
}
