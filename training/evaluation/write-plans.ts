/**
 * Draws the callers of the evaluation set: held-out phrasings, fixed seeds, the usual mixture of kinds. What each may
 * say goes into plans.json, from which record_callers.py makes the recordings. The same grammar and the same code of
 * src/caller give the same file.
 * Run: node training/evaluation/write-plans.ts OUT/plans.json
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCallerGrammar } from '../../src/caller/caller-grammar.ts';
import { type CallerKind, type CallerPlan, type Occasion, planCaller } from '../../src/caller/caller-plan.ts';

const GRAMMAR = fileURLToPath(new URL('../../models/embedded/callers/grammar.json', import.meta.url));
const FIRST_SEED = 930_000;
const KINDS: readonly (readonly [CallerKind, number])[] = [
  ['book', 20],
  ['callback', 16],
  ['cancel', 12],
  ['info', 8],
];
/** Wordings kept of an occasion; a caller who needs another says the same again. Phone numbers are worth more room. */
const WORDINGS: Partial<Record<Occasion, number>> = { phone: 2, phoneAgain: 2 };
const WORDINGS_OTHERWISE = 1;

const [out] = process.argv.slice(2);
if (out === undefined) throw new Error('usage: node training/evaluation/write-plans.ts OUT/plans.json');
const plans = drawPlans();
writeFileSync(out, `${JSON.stringify(plans, null, 1)}\n`);
const count = plans.reduce((sum, plan) => sum + Object.values(plan.utterances).flat().length, 0);
console.log(`${plans.length} callers, ${count} utterances`);

function drawPlans(): CallerPlan[] {
  const grammar = readCallerGrammar(GRAMMAR);
  const kinds = KINDS.flatMap(([kind, callers]) => Array.from({ length: callers }, () => kind));
  return kinds.map((kind, i) => shortened(planCaller({ grammar, seed: FIRST_SEED + i, phrasing: 'heldOut', kinds: [kind] })));
}

/** A recorded caller speaks: it presses no keys and does not interrupt. */
function shortened(plan: CallerPlan): CallerPlan {
  const utterances = Object.entries(plan.utterances).map(([occasion, wordings]) => [
    occasion,
    wordings.slice(0, WORDINGS[occasion as Occasion] ?? WORDINGS_OTHERWISE),
  ]);
  return {
    ...plan,
    utterances: Object.fromEntries(utterances),
    manner: { ...plan.manner, bargeIn: null, dtmf: [] },
  };
}
