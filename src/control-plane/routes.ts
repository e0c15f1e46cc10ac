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

/** Whether any of it needs the control plane. */
export function usesWire(routes: Routes): boolean {
  return Object.values(routes).some((isUsed) => isUsed);
}
