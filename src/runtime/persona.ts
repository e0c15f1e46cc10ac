/** What the agent says and how it takes turns: the configuration over the pack over the policy's defaults. Pure. */
import type { AgentPersona } from '../call/call-dependencies.ts';
import type { Config } from '../config/schema.ts';
import { UNKNOWN_WORDS } from '../control-plane/calls/remote-engines.ts';
import type { Role } from '../control-plane/routes.ts';
import type { ModelPack } from '../models/pack.ts';
import { splitSentences } from '../turn/sentence-splitter.ts';
import { DEFAULT_TURN_CONFIG, type TurnConfig } from '../turn/turn-config.ts';

/** Longer than any call, and short enough for a timer. */
const NEVER_MS = 1_000_000_000;

/** The agent's words and voice. */
export function personaOf(config: Config, pack: ModelPack): AgentPersona {
  const { agent } = config;
  return {
    systemPrompt: agent.systemPrompt || pack.agent.systemPrompt,
    greeting: agent.greeting || pack.agent.greeting,
    apology: agent.apology || pack.agent.apology,
    noInputPrompt: agent.noInputPrompt || pack.agent.noInputPrompt,
    goodbye: agent.goodbye || pack.agent.goodbye,
    voice: agent.voice || pack.tts.voice,
    speed: agent.speed * pack.tts.speed,
  };
}

/**
 * What the agent says by itself in this process. The greeting is the business of the process that has the language
 * model; where nothing here can speak, it is waited for, and the other texts end as silence.
 */
export function spokenHere(agent: AgentPersona, config: Config, roles: ReadonlySet<Role>): AgentPersona {
  if (roles.has('llama')) return agent;
  const isAwaited = !roles.has('tts') && config.control.greet;
  return { ...agent, greeting: isAwaited ? UNKNOWN_WORDS : '' };
}

/** The turn policy's numbers with those that the configuration has. */
export function turnConfigOf(config: Config, roles: ReadonlySet<Role>): TurnConfig {
  const { turn } = config;
  const { endpointing, bargeIn, digits } = DEFAULT_TURN_CONFIG;
  // A process that can say nothing by itself cannot ask whether the caller is there, and must not hang up unasked.
  const isMute = !roles.has('llama') && !roles.has('tts');
  const noInput = isMute ? { promptAfterMs: NEVER_MS } : { promptAfterMs: turn.noInputMs };
  return {
    ...DEFAULT_TURN_CONFIG,
    endpointing: { ...endpointing, minDelayMs: turn.minEndpointDelayMs, maxDelayMs: turn.maxEndpointDelayMs },
    bargeIn: { ...bargeIn, minSpeechMs: turn.bargeInMinSpeechMs },
    noInput: { ...noInput, maxPrompts: turn.noInputPrompts },
    digits: { ...digits, interDigitMs: turn.dtmfTimeoutMs },
  };
}

/** Everything that the agent says word for word, sentence by sentence, as it will be spoken. */
export function promptSentences(persona: AgentPersona): string[] {
  const { greeting, apology, noInputPrompt, goodbye } = persona;
  return [greeting, apology, noInputPrompt, goodbye].flatMap(splitSentences);
}
