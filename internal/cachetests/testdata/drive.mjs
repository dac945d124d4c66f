// drive.mjs starts the suite's origin, runs its tests through a cache, and tells how each went.
//
// Arguments: ids of tests, which are run alone with those they depend on, and whose traffic is shown
// on stderr; none means all. Standard output: a line of JSON with the port of the origin; then, after
// a line with the URL of the cache has been read from standard input, a line of JSON with the
// results. It ends when standard input does.

import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

import tests from './suite/tests/index.mjs'
import { runTests, getResults } from './suite/test-engine/client/runner.mjs'
import { testResults } from './suite/test-engine/client/test.mjs'
import { determineTestResult, resultTypes, testLookup } from './suite/test-engine/lib/results.mjs'

// Most tests spend their time waiting for a response to get old, so all can be under way at once. They
// begin a few at a time: some allow only for a second or two between their requests.
const batch = 25
const batchEvery = 150 // milliseconds

// No verdict on the cache: a request was repeated on its way, nothing came in time, or the test could
// not get to its question.
const inconclusive = new Set(['retry', 'harness_fail', 'setup_fail'])

function tell (value) { process.stdout.write(JSON.stringify(value) + '\n') }

// startOrigin starts the suite's server on a free port, which it tells by console.log alone.
async function startOrigin () {
  let port
  console.log = (line, ...more) => {
    port ??= /^Listening on http:\/\/.*:(\d+)\/$/.exec(line)?.[1]
    console.error(line, ...more)
  }
  await import('./suite/test-engine/server/server.mjs')
  return Number(port)
}

// only returns the suite's groups with the tests that keep returns true for.
function only (keep) {
  return tests.map(group => ({ ...group, tests: group.tests.filter(keep) }))
}

// forProxies reports whether a test counts for a reverse proxy.
function forProxies (test) { return test.browser_only !== true && test.cdn_only !== true }

// withDependencies returns ids and those that they depend on.
function withDependencies (ids) {
  const deps = ids.flatMap(id => testLookup(tests, id).depends_on ?? [])
  return deps.length ? [...new Set([...ids, ...withDependencies(deps)])] : ids
}

// dump lets the traffic of a test be shown. The suite's server cannot show a 1xx response for which
// no list of fields is given, so it gets an empty one.
function dump (test) {
  test.dump = true
  for (const step of test.requests) {
    for (const interim of step.interim_responses ?? []) interim[1] ??= []
  }
}

// choose returns the tests to run.
function choose (ids) {
  for (const id of ids) dump(testLookup(tests, id))
  const wanted = withDependencies(ids)
  return only(test => ids.length ? wanted.includes(test.id) : forProxies(test))
}

function verdict (id) {
  const type = determineTestResult(tests, id, testResults, true)
  return Object.keys(resultTypes).find(name => resultTypes[name] === type)
}

// report returns how each test went that was run.
function report (chosen) {
  const results = getResults()
  return chosen.flatMap(group => group.tests.map(test => ({
    id: test.id,
    name: test.name,
    group: group.name,
    kind: test.kind ?? 'required',
    verdict: verdict(test.id),
    message: results[test.id]?.[1] ?? ''
  })))
}

// runAll runs tests, a list without groups.
async function runAll (list, base) {
  const running = []
  for (let i = 0; i < list.length; i += batch) {
    if (i > 0) await setTimeout(batchEvery)
    running.push(runTests([{ tests: list.slice(i, i + batch) }], false, base))
  }
  await Promise.all(running)
}

async function run (chosen, base) {
  const all = chosen.flatMap(group => group.tests)
  await runAll(all, base)
  const again = all.filter(test => inconclusive.has(verdict(test.id)))
  for (const test of again) delete testResults[test.id]
  await runAll(again, base)
}

const chosen = choose(process.argv.slice(2))
tell({ port: await startOrigin() })
for await (const base of createInterface({ input: process.stdin })) {
  await run(chosen, base)
  tell({ results: report(chosen) })
}
process.exit()
