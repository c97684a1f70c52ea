// The journal: what was done on the host and how to undo it, written before each act, so that no crash forgets it.

import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { errnoOf } from '../system/errno.ts'
import type { ProcessIdentity } from '../system/process-identity.ts'
import type { Op } from './op.ts'
import type { Step } from './step.ts'

export type JournalEntry = { step: string; lasts: Step['lasts']; undo: Op[] }

/** Whose journal it is: while this process, the monitor, runs, nobody else may undo. */
type OwnerLine = { owner: ProcessIdentity }

/** The journal of one container: a line of JSON for each host step, in a directory that dies with the machine. */
export class Journal {
  readonly directory: string
  private readonly path: string
  private opening: OwnerLine[]

  /** `owner` is needed only to write. */
  constructor(directory: string, owner?: ProcessIdentity) {
    this.directory = directory
    this.opening = owner ? [{ owner }] : []
    this.path = `${directory}/journal`
  }

  /** Writes down how to undo these steps. The lines are complete or absent: one append, on tmpfs. */
  record(steps: Step[]): void {
    const entries = steps.flatMap(step =>
      Array.isArray(step.undo) && step.undo.length > 0
        ? [{ step: step.id, lasts: step.lasts, undo: step.undo } satisfies JournalEntry]
        : [],
    )
    if (entries.length === 0) return
    mkdirSync(this.directory, { recursive: true, mode: 0o711 })
    const lines = [...this.opening, ...entries]
    appendFileSync(this.path, lines.map(line => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 })
    this.opening = []
  }

  /** The process that wrote it, if there is a journal. */
  owner(): ProcessIdentity | undefined {
    return this.lines().find(line => 'owner' in line)?.owner
  }

  /** The entries as written, oldest first; none where there is no journal. A torn last line is left out. */
  read(): JournalEntry[] {
    return this.lines().filter(line => 'undo' in line)
  }

  private lines(): (JournalEntry | OwnerLine)[] {
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
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as JournalEntry | OwnerLine)
  }

  /** What forgets everything, to be performed when all of it has been undone. */
  forgetting(): Op[] {
    return [{ op: 'remove_tree', path: this.directory, tolerate: ['ENOENT'] }]
  }
}
