/**
 * Whether a conversation ended with the right facts, read from the agent's own words and from nothing in the caller's
 * mind: the last confirmation (or read-back, or name to cancel) that the agent spoke has to be the goal's. Pure.
 */
import { type CallerGrammar, plainWords } from '../../src/caller/caller-grammar.ts';
import type { CallerPlan } from '../../src/caller/caller-plan.ts';

/** @param replies everything that the agent said, in order */
export function endsRight(plan: CallerPlan, replies: readonly string[], grammar: CallerGrammar): boolean {
  const heard = replies.map(plainWords);
  if (plan.kind === 'info') return heard.some((reply) => reply.includes(expectedWords(plan, grammar)));
  const { template, done } = textsOf(plan, grammar);
  const isOfKind = patternOf(template);
  const lastIndex = heard.findLastIndex((reply) => isOfKind.test(reply));
  if (lastIndex < 0) return false;
  const isRight = heard[lastIndex]!.includes(expectedWords(plan, grammar));
  const doneWords = plainWords(done);
  return isRight && heard.slice(lastIndex + 1).some((reply) => reply.includes(doneWords));
}

/** The first sentence of a confirmation, say, with the goal's facts in it. */
function expectedWords(plan: CallerPlan, grammar: CallerGrammar): string {
  const { agent } = grammar;
  const { slots, digits = [], topic = '' } = plan.goal;
  if (plan.kind === 'info') return plainWords(agent.info[topic] ?? '');
  const values: Readonly<Record<string, string>> = {
    party: agent.sayParty[slots.party ?? ''] ?? '',
    day: agent.sayDay[slots.day ?? ''] ?? '',
    time: slots.time ?? '',
    name: slots.name ?? '',
    digits: digits.join(' '),
  };
  const { template } = textsOf(plan, grammar);
  return plainWords(template.replace(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? ''));
}

/** What is confirmed, and what is said when it was done. */
function textsOf(plan: CallerPlan, { agent }: CallerGrammar): { template: string; done: string } {
  if (plan.kind === 'callback') return { template: agent.readBack, done: agent.callBack };
  if (plan.kind === 'cancel') return { template: agent.askCancel, done: agent.cancelled };
  return { template: agent.confirm, done: agent.booked };
}

/** The template with anything in its gaps, over plain words. */
export function patternOf(template: string): RegExp {
  const parts = template.split(/\{\w+\}/).map(plainWords);
  return new RegExp(parts.join(' .+ ').replace(/ +/g, ' ').trim());
}
