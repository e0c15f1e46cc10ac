/**
 * Reads the suite's reports for .ci/run.
 * `failed-files`: the failed test files, if they may be tried again: only ones of whole processes and real time, few.
 * `summary PASSED|FAILED`: each failure, what passed only the second time, and the line "N passed, N failed".
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const FIRST = '.wildfire/test-report-first.json';
const SECOND = '.wildfire/test-report.json';
/** These measure time on a box that others may use. */
const TIMED = /^test\/(control-plane\/interop|e2e|interop|runtime)\//;
const MOST_FILES = 3;
const MOST_CHARACTERS = 1500;

const [command, smoke] = process.argv.slice(2);
const first = reportOf(FIRST);
if (command === 'failed-files') {
  const files = failedFilesOf(first);
  const areTimed = files.length <= MOST_FILES && files.every((file) => TIMED.test(file));
  if (areTimed) console.log(files.join(' '));
} else {
  summarise(smoke === 'passed');
}

function summarise(isTrained) {
  // Absent, or the first one itself, when nothing was tried again.
  const second = existsSync(SECOND) ? reportOf(SECOND) : first;
  const isSecond = second.startTime !== first.startTime;
  const last = isSecond ? second : first;
  for (const failure of failuresOf(first))
    console.log(isSecond ? `FIRST TIME ${failure}` : `FAILED ${failure}`);
  if (isSecond) for (const failure of failuresOf(second)) console.log(`AGAIN ${failure}`);
  const failed = countFailed(last) + (isTrained ? 0 : 1);
  const passed = first.numPassedTests + (isSecond ? countFailed(first) - countFailed(second) : 0);
  console.log(`training pipeline ${isTrained ? 'passed' : 'failed'}`);
  console.log(`${passed + (isTrained ? 1 : 0)} passed, ${failed} failed`);
}

/** A file that could not even be loaded has no failed test, and is one. */
function countFailed({ testResults }) {
  const failed = testResults.filter(({ status }) => status === 'failed');
  return failed.reduce((sum, file) => sum + Math.max(1, failedTestsOf(file).length), 0);
}

function failuresOf({ testResults }) {
  return testResults
    .filter(({ status }) => status === 'failed')
    .flatMap((file) => {
      const tests = failedTestsOf(file);
      if (tests.length === 0) return [`${file.name}: ${short(file.message)}`];
      return tests.map((test) => `${file.name}: ${test.fullName}\n${short(test.failureMessages.join('\n'))}`);
    });
}

function failedTestsOf({ assertionResults }) {
  return assertionResults.filter(({ status }) => status === 'failed');
}

function failedFilesOf({ testResults }) {
  const failed = testResults.filter(({ status }) => status === 'failed');
  return failed.map(({ name }) => relative(process.cwd(), name));
}

function short(text) {
  return String(text).slice(0, MOST_CHARACTERS);
}

function reportOf(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
