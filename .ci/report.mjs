/**
 * Reads what .ci/run kept of the suite: its report, what it printed, its exit status.
 * `failed-files`: the failed test files, if they may be tried again: only ones of real threads, sockets and time, few.
 * `summary PASSED|FAILED`: each failure, what passed only the second time, and the line "N passed, N failed".
 * The report knows of tests only: an error that no test caught, or a suite that died, is told by what was printed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const FOLDER = '.wildfire';
/** The heading that vitest gives to errors that no test caught. */
const UNHANDLED = '⎯ Unhandled Errors ⎯';
/** These run real threads, sockets and processes, on a box that others may use. */
const TIMED = /^test\/(caller|cli|control-plane|e2e|interop|media|runtime|sip|stress|workers)\//;
const MOST_FILES = 3;
const MOST_CHARACTERS = 1500;
const LAST_LINES = 30;

const [command, smoke] = process.argv.slice(2);
const first = runOf('first');
if (command === 'failed-files') {
  const files = failedFilesOf(first);
  const areTimed =
    reasonBesideTests(first) === null &&
    files.length <= MOST_FILES &&
    files.every((file) => TIMED.test(file));
  if (areTimed) console.log(files.join(' '));
} else {
  summarise(smoke === 'passed');
}

function summarise(isTrained) {
  const isSecond = existsSync(`${FOLDER}/test-again.status`);
  const second = isSecond ? runOf('again') : first;
  for (const failure of failuresOf(first))
    console.log(isSecond ? `FIRST TIME ${failure}` : `FAILED ${failure}`);
  if (isSecond) for (const failure of failuresOf(second)) console.log(`AGAIN ${failure}`);
  // One that died before it judged its tests takes nothing back.
  const last = second.testResults.length > 0 ? second : first;
  const failed = countFailed(last) + (reasonBesideTests(second) === null ? 0 : 1) + (isTrained ? 0 : 1);
  const passed = first.numPassedTests + countFailed(first) - countFailed(last);
  console.log(`training pipeline ${isTrained ? 'passed' : 'failed'}`);
  console.log(`${passed + (isTrained ? 1 : 0)} passed, ${failed} failed`);
}

/** A file that could not even be loaded has no failed test, and is one. */
function countFailed({ testResults }) {
  const failed = testResults.filter(({ status }) => status === 'failed');
  return failed.reduce((sum, file) => sum + Math.max(1, failedTestsOf(file).length), 0);
}

function failuresOf(run) {
  const beside = reasonBesideTests(run);
  return [...testFailuresOf(run), ...(beside === null ? [] : [`the suite itself: ${beside}`])];
}

/** What failed the suite though it is no test's failure; null: nothing did. */
function reasonBesideTests(run) {
  const { status, printed } = run;
  const at = printed.lastIndexOf(UNHANDLED);
  if (status === 0) return null;
  if (at >= 0) return short(printed.slice(at));
  if (countFailed(run) > 0) return null;
  return `exit status ${status} and no failed test; it ended with\n${printed.trimEnd().split('\n').slice(-LAST_LINES).join('\n')}`;
}

function testFailuresOf({ testResults }) {
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

/** A suite that died wrote no report. */
function runOf(name) {
  const path = `${FOLDER}/test-${name}`;
  const report = existsSync(`${path}.json`) ? JSON.parse(readFileSync(`${path}.json`, 'utf8')) : {};
  return {
    testResults: report.testResults ?? [],
    numPassedTests: report.numPassedTests ?? 0,
    status: Number(readFileSync(`${path}.status`, 'utf8')),
    printed: stripVTControlCharacters(readFileSync(`${path}.log`, 'utf8')),
  };
}
