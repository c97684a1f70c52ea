// The journal: what was done on the host and how to undo it, written before each act, so that no crash forgets it.

import { appendFileSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { makeDirectories } from '../system/directory.ts'
import { at, errnoOf } from '../system/errno.ts'
import type { ProcessIdentity } from '../system/process-identity.ts'
import type { Op } from './op.ts'
import type { Step, Undo } from './step.ts'
import { undoesOf } from './steps/undo.ts'

/** `isFurther`: of an act besides the run. */
export type JournalEntry = Undo & { lasts: Step['lasts']; isFurther?: true }

/** Whose journal it is: while this process, the monitor, runs, nobody else may undo. */
type OwnerLine = { owner: ProcessIdentity }

/** What a command does to a container that runs, besides its run. */
export type FurtherAct = {
  /** `network connect` */
  command: string
  /** The id of what it is about. */
  subject: string
  /** Who does it: while this process runs, nobody else may see to it. */
  maker: ProcessIdentity
  /** The process that performs the container's side of it. */
  inside: ProcessIdentity
}

/** The entries behind the first of these are that act's, until the other one says that it is done, or undone. */
type BegunLine = { begun: FurtherAct }
type OverLine = { over: true }

type Line = JournalEntry | OwnerLine | BegunLine | OverLine

/** The journal of one container: a line of JSON for each host step, in a directory that dies with the machine. */
export class Journal {
  readonly directory: string
  private readonly path: string
  private readonly maker: ProcessIdentity | undefined
  private isBegun = false

  /** `owner` is needed only to write. */
  constructor(directory: string, owner?: ProcessIdentity) {
    this.directory = directory
    this.maker = owner
    this.path = `${directory}/journal`
  }

  /**
   * Writes down how to undo these steps. The lines are complete or absent: one append, on tmpfs. The first ones claim the run
   * directory: ENOTEMPTY where another run has it.
   */
  record(steps: Step[]): void {
    const entries = entriesOf(steps)
    if (entries.length === 0) return
    const lines = linesOf(entries)
    if (this.isBegun) this.append(lines)
    else this.claim(lines)
    this.isBegun = true
  }

  protected append(lines: string): void {
    try {
      // A line of their own, also behind one that a full disk has cut.
      appendFileSync(this.path, `\n${lines}`)
    } catch (error) {
      throw at(this.path, error)
    }
  }

  /** Made aside and renamed: a directory under the container's id without its owner would seem to be nobody's. */
  private claim(lines: string): void {
    const aside = asideOf(this.directory, this.maker)
    const opening = this.maker ? `${JSON.stringify({ owner: this.maker } satisfies OwnerLine)}\n` : ''
    try {
      makeDirectories(aside, 0o711)
      appendFileSync(`${aside}/journal`, opening + lines, { mode: 0o600 })
      renameSync(aside, this.directory)
    } catch (error) {
      rmSync(aside, { recursive: true, force: true })
      throw at(this.path, error)
    }
  }

  /** The process that wrote it; undefined where there is no journal. */
  owner(): ProcessIdentity | undefined {
    return this.state().owner
  }

  /** The same, and what was begun besides and is not over yet, with its entries. */
  state(): { owner?: ProcessIdentity; unfinished?: FurtherAct & { entries: JournalEntry[] } } {
    const lines = this.lines()
    const owner = lines.find(line => 'owner' in line)?.owner
    const last = lines.findLastIndex(line => 'begun' in line || 'over' in line)
    const line = lines[last]
    return {
      ...(owner && { owner }),
      ...(line &&
        'begun' in line && { unfinished: { ...line.begun, entries: entriesIn(lines.slice(last)) } }),
    }
  }

  /** The entries as written, oldest first; none where there is no journal. A torn last line is left out. */
  read(): JournalEntry[] {
    return entriesIn(this.lines())
  }

  private lines(): Line[] {
    let text: string
    try {
      text = readFileSync(this.path, 'utf8')
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    }
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .flatMap(line => parsed(line))
  }

  /** What forgets everything, to be performed when all of it has been undone. */
  forgetting(): Op[] {
    return [{ op: 'remove_tree', path: this.directory, tolerate: ['ENOENT'] }]
  }
}

/** Nothing of a line that a full disk has cut: what it would have undone was not done. */
function parsed(line: string): Line[] {
  try {
    return line === '' ? [] : [JSON.parse(line)]
  } catch {
    return []
  }
}

/** Where a run directory is made: the name tells whose it is. Nothing that its journal holds has been done. */
function asideOf(directory: string, owner: ProcessIdentity | undefined): string {
  return owner ? `${directory}.new-${owner.pid}-${owner.startTimeTicks}` : `${directory}.new`
}

/** Who makes a run directory of this name; `nobody` where that is not said, undefined where it is no such name. */
export function makerOfAside(name: string): ProcessIdentity | 'nobody' | undefined {
  const [isAside, pid, startTimeTicks] = /\.new(?:-(\d+)-(\d+))?$/.exec(name) ?? []
  if (isAside === undefined) return undefined
  return pid === undefined || startTimeTicks === undefined ? 'nobody' : { pid: Number(pid), startTimeTicks }
}

function entriesIn(lines: Line[]): JournalEntry[] {
  const firstAct = lines.findIndex(line => 'begun' in line)
  return lines.flatMap((line, index) => {
    if (!('undo' in line)) return []
    return firstAct >= 0 && index > firstAct ? { ...line, isFurther: true } : line
  })
}

/**
 * What is done besides to a container whose journal another command has begun: its lines follow that one's. For whoever has the
 * container's lock, so that one act is over before the next begins.
 */
export class FurtherJournal extends Journal {
  readonly #entries: JournalEntry[] = []

  /** Says who does what from here on: whoever comes after a crash sees to it. */
  begin(act: FurtherAct): void {
    this.append(linesOf([{ begun: act }]))
  }

  /** Nothing of it is left to be seen to. Of a container that has ended meanwhile there is no journal any more. */
  over(): void {
    try {
      this.append(linesOf([{ over: true }]))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  override record(steps: Step[]): void {
    const entries = entriesOf(steps)
    if (entries.length === 0) return
    this.append(linesOf(entries))
    this.#entries.push(...entries)
  }

  /** Its own entries alone. */
  override read(): JournalEntry[] {
    return [...this.#entries]
  }

  /** The rest of the journal stays; an act that is undone already is harmless when it is undone again. */
  override forgetting(): Op[] {
    return []
  }
}

function entriesOf(steps: Step[]): JournalEntry[] {
  return steps.flatMap(step => undoesOf([step]).map(undo => ({ ...undo, lasts: step.lasts })))
}

function linesOf(lines: Line[]): string {
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}
