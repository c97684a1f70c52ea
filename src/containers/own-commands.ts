// What minictr starts of itself when nobody is there: hidden commands, which cli/commands.ts has.

import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ProcessIdentity } from '../system/process-identity.ts'
import type { RunSettings } from './plan-run.ts'

/** Undoes the run of a container that has ended: started by its monitor where nobody waits for the end. */
export const END_COMMAND = '__end'
/** Starts a container as its restart policy says: what the process that waits for that becomes. */
export const RESTART_COMMAND = '__restart'
/** Probes the health of a container: started by its monitor at each interval. */
export const HEALTH_COMMAND = '__health'

/** Says what went wrong in an exec that the helper performed by itself, which has no words. */
export const EXEC_ENDED_COMMAND = '__exec-ended'

/** Arguments and environment for execve(2). */
export type OwnCommand = { argv: string[]; environment: string[] }

/** One of the hidden commands for a container, in another start of this program with the same settings. */
export function ownCommand(
  settings: RunSettings,
  command: string,
  id: string,
  ...more: string[]
): OwnCommand {
  return {
    argv: [process.execPath, process.argv[1]!, ...globalOptions(settings), command, id, ...more],
    environment: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
  }
}

/** Which run of a container END_COMMAND is to end: that of this monitor. */
export function runArguments(owner: ProcessIdentity | undefined): string[] {
  return owner ? [String(owner.pid), owner.startTimeTicks] : []
}

/** This program with these settings, for somebody who starts it some other day: the launcher finds the Node of that day. */
export function ownProgram(settings: RunSettings): string[] {
  const entry = process.argv[1]!
  const launcher = join(dirname(entry), basename(entry, '.cjs'))
  const program = entry.endsWith('.cjs') && existsSync(launcher) ? [launcher] : [process.execPath, entry]
  return [...program, ...globalOptions(settings)]
}

function globalOptions({ root, runRoot, configFile }: RunSettings): string[] {
  return ['--root', root, '--run-root', runRoot, '--config', configFile]
}
