/** Every combination of roles is joined by the wire exactly where a neighbour is missing. */
import { describe, expect, it } from 'vitest';
import { dialledPorts, ROLES, type Role, routesOf, usesWire } from '../../src/control-plane/routes.ts';

function routes(list: string, listens = false): string[] {
  const found = routesOf(new Set(list.split(',') as Role[]), listens);
  return Object.entries(found)
    .filter(([, isUsed]) => isUsed)
    .map(([name]) => name);
}

describe('roles', () => {
  it('all in one process use no wire unless they serve outsiders', () => {
    expect(routes(ROLES.join(','))).toEqual([]);
    expect(usesWire(routesOf(new Set(ROLES), false))).toBe(false);
    expect(routes(ROLES.join(','), true)).toEqual([
      'hearsOutside',
      'takesCallerText',
      'takesReplyText',
      'speaksOutside',
    ]);
  });

  it.each([
    ['sip', ['ownInbound', 'ownOutbound']],
    ['whisper', ['hearsOutside']],
    ['llama', ['takesCallerText']],
    ['tts', ['takesReplyText', 'speaksOutside']],
    ['sip,whisper', ['ownOutbound', 'ownLlamaLink']],
    ['sip,llama', ['takesCallerText', 'ownInbound', 'ownOutbound', 'ownTtsLink']],
    ['sip,tts', ['takesReplyText', 'ownInbound']],
    ['whisper,llama', ['hearsOutside']],
    ['whisper,tts', ['hearsOutside', 'takesReplyText', 'speaksOutside']],
    ['llama,tts', ['takesCallerText', 'speaksOutside']],
    ['sip,whisper,llama', ['ownOutbound', 'ownTtsLink']],
    ['sip,whisper,tts', ['takesReplyText', 'ownLlamaLink']],
    ['sip,llama,tts', ['takesCallerText', 'ownInbound']],
    ['whisper,llama,tts', ['hearsOutside', 'speaksOutside']],
  ])('%s reach the others', (list, expected) => {
    expect(routes(list)).toEqual(expected);
  });

  it.each([
    [ROLES.join(','), []],
    ['sip', ['whisperPort', 'ttsRegisterPort']],
    ['whisper', ['llamaPort']],
    ['llama', ['ttsPort']],
    ['tts', []],
    ['sip,whisper', ['llamaPort', 'ttsRegisterPort']],
    ['sip,llama', ['whisperPort', 'ttsPort', 'ttsRegisterPort']],
    ['sip,tts', ['whisperPort']],
    ['whisper,llama', ['ttsPort']],
    ['sip,whisper,llama', ['ttsPort', 'ttsRegisterPort']],
    ['sip,whisper,tts', ['llamaPort']],
  ])('%s send to the ports of the others', (list, expected) => {
    expect(dialledPorts(new Set(list.split(',') as Role[]), false)).toEqual(expected);
  });
});
