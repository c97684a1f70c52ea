// run: plan, perform, wait, undo. The monitor is started first, by the launcher even before Node, so that it gets ready while
// Node still plans.

import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import type { Image } from '../images/store.ts'
import { Journal } from '../runtime/journal.ts'
import { type Observer, perform, undo } from '../runtime/perform.ts'
import { annotation } from '../runtime/spec.ts'
import { StepError } from '../runtime/step-error.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { Monitor } from '../system/monitor.ts'
import { identify } from '../system/process-identity.ts'
import type { RunOptions } from './options.ts'
import { type PlannedRun, planRun, type RunSettings } from './plan-run.ts'
import { forwardSignals } from './signals.ts'
import { containerPaths, writeRunState } from './state.ts'

/** How a run ended: Docker's exit status, and what could not be cleaned up, if anything. */
export type RunResult = { exitStatus: number; leftovers: string[] }

/**
 * Makes a container, runs its program in the foreground and waits for it.
 *
 * The status is the program's own, or 128+n when signal n ended it. Throws StepError when a step fails (everything is
 * undone by then), MinictrError with status 126 or 127 when the program cannot be executed or is not there, 125 else.
 */
export async function runContainer(
  options: RunOptions,
  settings: RunSettings,
  observer?: Observer,
  image?: Image,
): Promise<RunResult> {
  const cidFile = options.cidFile === undefined ? undefined : claimCidFile(options.cidFile)
  const monitor = Monitor.ofLauncher() ?? Monitor.spawn({ stdin: options.interactive ? 'inherit' : 'ignore' })
  try {
    const planned = await planRun(options, settings, image)
    for (const warning of planned.warnings) process.stderr.write(`WARNING: ${warning}\n`)
    if (cidFile !== undefined) writeSync(cidFile, planned.id)
    return await performRun(planned, options, settings, monitor, observer)
  } catch (error) {
    if (options.cidFile !== undefined) rmSync(options.cidFile, { force: true })
    throw error
  } finally {
    if (cidFile !== undefined) closeSync(cidFile)
    monitor.close()
  }
}

async function performRun(
  planned: PlannedRun,
  options: RunOptions,
  settings: RunSettings,
  monitor: Monitor,
  observer: Observer | undefined,
): Promise<RunResult> {
  const paths = containerPaths(settings, planned.id)
  const journal = new Journal(paths.runDirectory, identify(monitor.pid))
  monitor.tell('on_orphan', cleanUpCommand(settings, planned.id), environment())
  const signals = forwardSignals(monitor, options)
  try {
    const outcome = await perform(
      planned.plan,
      { host: monitor.host, container: monitor.init },
      journal,
      observer,
    )
    if ('quit' in outcome) {
      monitor.tell('on_orphan', [], [])
      return { exitStatus: 0, leftovers: outcome.leftovers }
    }
    if (!options.remove) monitor.tell('record_exit', paths.exitRecord)
    // Once more, for a terminal that standard input has, not standard output, and for a change meanwhile.
    if (options.tty) monitor.tell('resize')
    if (options.tty && options.interactive) monitor.tell('raw_terminal')
    // Before its output can be seen: whoever sees it may ask for the container, or kill this process.
    writeRunState(settings, planned.id, outcome.pid)
    monitor.tell('watch', outcome.pid)
    signals.start(outcome.pid, planned.spec.annotations[annotation.name] ?? planned.id)
    const { status } = await monitor.exit()
    const { failed } = await undo(journal, monitor.host, entry => options.remove || entry.lasts === 'run')
    monitor.tell('on_orphan', [], [])
    return { exitStatus: status, leftovers: failed }
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    // All that can be undone is; after any other error the monitor sees to it.
    monitor.tell('on_orphan', [], [])
    throw asProgramError(error, planned)
  } finally {
    signals.stop()
  }
}

/** What the monitor starts when the container has ended and this process is gone. */
function cleanUpCommand(settings: RunSettings, id: string): string[] {
  const { root, runRoot, configFile } = settings
  return [
    process.execPath,
    process.argv[1]!,
    ...['--root', root, '--run-root', runRoot, '--config', configFile],
    ...['system', 'recover', id],
  ]
}

function environment(): string[] {
  return Object.entries(process.env).map(([name, value]) => `${name}=${value}`)
}

function claimCidFile(path: string): number {
  try {
    return openSync(path, 'wx', 0o644)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      throw new MinictrError(`--cidfile ${path} cannot be created: ${(error as Error).message}`, {
        exitStatus: 125,
      })
    }
    throw new MinictrError(
      `container ID file found, make sure the other container isn't running or delete ${path}`,
      {
        exitStatus: 125,
      },
    )
  }
}

/** A program that is not there, or cannot be executed, is the user's matter: told in Docker's words and statuses. */
function asProgramError(error: StepError, planned: PlannedRun): MinictrError {
  const { op, errno, step } = error.failure
  if (op.op === 'write_file' && errno === 'EEXIST') {
    const name = planned.spec.annotations[annotation.name]
    return new MinictrError(
      `Conflict. The container name "/${name}" was taken by another container just now`,
      {
        remedy: 'Choose another --name.',
        exitStatus: 125,
      },
    )
  }
  const { cwd } = planned.spec.process
  if (op.op === 'mkdir' && op.path === cwd && (errno === 'EEXIST' || errno === 'ENOTDIR')) {
    return new MinictrError(
      `the working directory cannot be made: ${cwd}, or a part of it, is not a directory in the image`,
      { remedy: 'Choose another --workdir. (everything was undone)', exitStatus: 125, cause: error },
    )
  }
  if (op.op !== 'execve') return error
  const program = op.argv[0] ?? ''
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    const isPath = program.includes('/')
    const reason = isPath
      ? `stat ${program}: no such file or directory`
      : 'executable file not found in $PATH'
    const place = isPath
      ? 'the path, and the interpreter that the file names, are to be in the image'
      : `the container's PATH is ${pathOf(op.env)}`
    return new MinictrError(`exec: "${program}": ${reason}`, {
      remedy: `Check the name; ${place}. (step ${step.id}, everything was undone)`,
      exitStatus: 127,
      cause: error,
    })
  }
  const reason = { EACCES: 'permission denied', ENOEXEC: 'exec format error' }[errno] ?? errno
  return new MinictrError(`exec: "${program}": ${reason}`, {
    remedy: `Check that it is a program for this machine and may be executed by the user. (step ${step.id}, everything was undone)`,
    exitStatus: 126,
    cause: error,
  })
}

function pathOf(env: string[]): string {
  return env.find(entry => entry.startsWith('PATH='))?.slice(5) ?? 'not set'
}
