// Runs test files with node:test in one run, unit tests first, so that one summary closes for all of them.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

/** A test that takes longer hangs. */
const TEST_TIMEOUT_MS = 5 * 60_000

const project = join(import.meta.dirname, '..')

/** The test files under a directory, or the file itself; sorted. */
function testFiles(path: string): string[] {
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join(path, name))
    .sort()
}

const asked = process.argv.slice(2).map(path => resolve(path))
const files = (asked.length > 0 ? asked : [join(project, 'test')]).flatMap(testFiles)
const isUnit = (file: string) => relative(project, file).startsWith('test/unit/')
const ordered = [...files.filter(isUnit), ...files.filter(file => !isUnit(file))]
if (ordered.length === 0) throw new Error(`no test files (*.test.ts) under ${asked.join(' ')}`)

// What every file would do for itself: compile the sources, and pull the same images (test/fixtures/debian-store.ts).
process.env.NODE_COMPILE_CACHE = join(project, '.cache/compiled')
const shelf = mkdtempSync(join(tmpdir(), 'minictr-stores-'))
process.env.MINICTR_TEST_STORES = shelf

const events = run({
  files: ordered,
  cwd: project,
  // One file at a time: tests with real kernels, registries and clocks share two cores badly.
  concurrency: 1,
  timeout: TEST_TIMEOUT_MS,
})
events.on('test:fail', () => {
  process.exitCode = 1
})
let closing = ''
events.on('test:summary', ({ file, counts, duration_ms }) => {
  if (file !== undefined) return // one file's own
  closing = `# tests ${counts.tests}\n# pass ${counts.passed}\n# fail ${counts.tests - counts.passed - counts.skipped - counts.todo}\n# skipped ${counts.skipped}\n# duration_ms ${Math.round(duration_ms)}\n`
})
const report = events.compose(spec)
report.on('end', () => {
  rmSync(shelf, { recursive: true })
  process.stdout.write(`\n${closing}`)
})
report.pipe(process.stdout)
