/** What the agent says and how it takes turns: the configuration over the pack over the policy's defaults. Pure. */
import type { AgentPersona } from '../call/call-dependencies.ts';
import type { Config } from '../config/schema.ts';
import type { ModelPack } from '../models/pack.ts';
import { splitSentences } from '../turn/sentence-splitter.ts';
import { DEFAULT_TURN_CONFIG, type TurnConfig } from '../turn/turn-config.ts';

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

/** The turn policy's numbers with those that the configuration has. */
export function turnConfigOf(config: Config): TurnConfig {
  const { turn } = config;
  const { endpointing, bargeIn, noInput, digits } = DEFAULT_TURN_CONFIG;
  return {
    ...DEFAULT_TURN_CONFIG,
    endpointing: { ...endpointing, minDelayMs: turn.minEndpointDelayMs, maxDelayMs: turn.maxEndpointDelayMs },
    bargeIn: { ...bargeIn, minSpeechMs: turn.bargeInMinSpeechMs },
    noInput: { ...noInput, promptAfterMs: turn.noInputMs, maxPrompts: turn.noInputPrompts },
    digits: { ...digits, interDigitMs: turn.dtmfTimeoutMs },
  };
}

/** Everything that the agent says word for word, sentence by sentence, as it will be spoken. */
export function promptSentences(persona: AgentPersona): string[] {
  const { greeting, apology, noInputPrompt, goodbye } = persona;
  return [greeting, apology, noInputPrompt, goodbye].flatMap(splitSentences);
}
