/** What a process with certain roles listens on and dials: whatever is not in it is reached by the wire. Pure. */

export const ROLES = ['sip', 'whisper', 'llama', 'tts'] as const;
export type Role = (typeof ROLES)[number];

export interface Routes {
  /** UDP 13000: outside parties with speech. */
  readonly hearsOutside: boolean;
  /** TCP 8083: outside parties with text of callers. */
  readonly takesCallerText: boolean;
  /** TCP 8090: outside parties with text to speak. */
  readonly takesReplyText: boolean;
  /** UDP 13001: outside parties that play speech. */
  readonly speaksOutside: boolean;
  /** Our own calls: 9001+id, 9002+id, and the links to 8083 and 8090. */
  readonly ownInbound: boolean;
  readonly ownOutbound: boolean;
  readonly ownLlamaLink: boolean;
  readonly ownTtsLink: boolean;
}

/** @param listens whether a role also serves outside parties where its neighbour is in the process */
export function routesOf(roles: ReadonlySet<Role>, listens: boolean): Routes {
  const [sip, whisper, llama, tts] = ROLES.map((role) => roles.has(role));
  return {
    hearsOutside: whisper === true && (!sip || listens),
    takesCallerText: llama === true && (!whisper || listens),
    takesReplyText: tts === true && (!llama || listens),
    speaksOutside: tts === true && (!sip || listens),
    ownInbound: sip === true && !whisper,
    ownOutbound: sip === true && !tts,
    ownLlamaLink: sip === true && whisper === true && !llama,
    ownTtsLink: sip === true && llama === true && !tts,
  };
}

/** Settings that name a port which another process listens on. */
export type DialledPort = 'whisperPort' | 'llamaPort' | 'ttsPort' | 'ttsRegisterPort';

/** The ports that a process with these roles sends to, because what is behind them is not in it. */
export function dialledPorts(roles: ReadonlySet<Role>, listens: boolean): DialledPort[] {
  const routes = routesOf(roles, listens);
  const thinksOutside = routes.takesCallerText || (routes.hearsOutside && roles.has('llama'));
  const isDialled: Record<DialledPort, boolean> = {
    whisperPort: routes.ownInbound,
    llamaPort: routes.ownLlamaLink || (routes.hearsOutside && !roles.has('llama')),
    ttsPort: routes.ownTtsLink || (thinksOutside && !roles.has('tts')),
    ttsRegisterPort: routes.ownOutbound,
  };
  return (Object.keys(isDialled) as DialledPort[]).filter((port) => isDialled[port]);
}

/** Whether any of it needs the control plane. */
export function usesWire(routes: Routes): boolean {
  return Object.values(routes).some((isUsed) => isUsed);
}
