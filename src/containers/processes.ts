// The processes of a container, as this host sees them: its cgroup has their PIDs, and ps(1) what else there is to tell.

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cgroupDirectories } from '../runtime/steps/cgroup.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { hostFacts } from '../system/host-facts.ts'
import type { Container } from './state.ts'

/** What ps(1) prints: the titles of its columns, and a line for each process. */
export type ProcessTable = { titles: string[]; processes: string[][] }

/**
 * The processes of a running container, told by ps(1) with these options. Throws MinictrError in Docker's words where it does not
 * run, where ps fails or tells no PIDs. Source: moby, daemon/top_unix.go.
 */
export async function processTable(
  { id, status }: Container,
  psOptions: readonly string[],
): Promise<ProcessTable> {
  if (status === 'restarting') {
    throw new MinictrError(`Container ${id} is restarting, wait until the container is running`)
  }
  if (status !== 'running') throw new MinictrError(`Container ${id} is not running`)
  const options = psOptions.length > 0 ? psOptions.join(' ') : '-ef'
  refuseOtherPids(options)
  const pids = pidsOf(id)
  const words = options.split(' ')
  // Some options, f and -C among them, do not go with -q: the lines of others are left out afterwards in any case.
  const chosen = await ps([...words, `-q${pids.join(',')}`]).catch(() => ps(words))
  return parseTable(chosen, new Set(pids))
}

/** The PIDs in the container's cgroup and in those below it, in their order. */
function pidsOf(id: string): number[] {
  const [directory] = cgroupDirectories(`/minictr/${id}`, hostFacts())
  return pidsBelow(directory!).sort((a, b) => a - b)
}

function pidsBelow(directory: string): number[] {
  try {
    const own = readFileSync(`${directory}/cgroup.procs`, 'latin1').split('\n').filter(Boolean).map(Number)
    const below = readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory())
    return [...own, ...below.flatMap(({ name }) => pidsBelow(`${directory}/${name}`))]
  } catch (error) {
    // Gone meanwhile.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return []
    throw error
  }
}

/** A column that is called PID and holds something else would have the lines of others shown. */
function refuseOtherPids(options: string): void {
  for (const [, column, title] of options.matchAll(/\s+([^\s]*)=\s*(PID[^\s]*)/g)) {
    if (column !== 'pid') throw new MinictrError(`specifying "${column}=${title}" is not allowed`)
  }
}

/** What ps prints. Throws MinictrError with its first line of complaint. */
function ps(options: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ps', options, { encoding: 'utf8', maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      if (errnoOf(error) === 'ENOENT') {
        const remedy = 'Install procps, which brings ps(1).'
        return reject(new MinictrError('ps: executable file not found in $PATH', { remedy, cause: error }))
      }
      reject(new MinictrError(`ps: ${stderr.split('\n')[0] || error.message}`, { cause: error }))
    })
  })
}

/**
 * The lines of these processes out of what ps printed; the last column has all that is left of a line. Threads (ps -m, -L), whose
 * PID is a dash, follow their process. Throws MinictrError where there is no column of PIDs.
 */
export function parseTable(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [first = '', ...lines] = output.trimEnd().split('\n')
  const titles = words(first)
  const at = titles.indexOf('PID')
  if (at < 0) throw new MinictrError("Couldn't find PID field in ps output")
  let isOurs = false
  const processes = lines.filter(Boolean).flatMap(line => {
    const fields = words(line)
    const pid = fields[at] ?? ''
    if (pid !== '-') isOurs = pids.has(Number(pid))
    if (!isOurs) return []
    const last = titles.length - 1
    return [[...fields.slice(0, last), fields.slice(last).join(' ')]]
  })
  return { titles, processes }
}

/** At ASCII blanks alone: a command may hold others. */
function words(line: string): string[] {
  return line.split(/[ \t\n\v\f\r]+/).filter(Boolean)
}
