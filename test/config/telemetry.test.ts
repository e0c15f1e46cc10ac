/** Libraries report nothing, unless the user says so. */
import { expect, it } from 'vitest';
import { reportNothing } from '../../src/config/telemetry.ts';

it('switches reports off where the user has not decided otherwise', () => {
  const [silent, own] = [{}, { ORT_DISABLE_TELEMETRY: '0' }];
  reportNothing(silent);
  reportNothing(own);
  expect([silent, own]).toEqual([{ ORT_DISABLE_TELEMETRY: '1' }, { ORT_DISABLE_TELEMETRY: '0' }]);
});
