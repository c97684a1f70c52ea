// Locks between processes that the kernel releases when their holder dies, however it dies.

import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectories } from './directory.ts'
import { MinictrError } from './error.ts'

export type LockOptions = {
  /** Called once if another holder has to be waited for. */
  onWait?: () => void
  /** Ends the waiting; `withLock` then throws its reason. */
  signal?: AbortSignal
}

/**
 * Runs `action` while this process alone holds the lock on the file at `path` (made and removed as needed; directories
 * too). Waits as long as another holder lives. Not reentrant: the same path locked again inside `action` waits for ever.
 * Throws MinictrError when locking is impossible, else what `action` throws.
 * Source: flock(2), flock(1); why so: docs/decisions/locks.md.
 */
export async function withLock<T>(
  path: string,
  action: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const fd = await acquire(path, options)
  try {
    return await action()
  } finally {
    // Removed before it is released: whoever waited for this file sees that it is gone and starts over on a new one.
    rmSync(path, { force: true })
    closeSync(fd)
  }
}

/**
 * Runs `action` while this process shares the lock on a directory (made as needed) with others; `tryLock` keeps away from
 * it meanwhile. The lock is on the directory itself, so nothing is left of it. Throws as `withLock`.
 */
export async function withSharedLock<T>(
  directory: string,
  action: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const fd = openDirectory(directory)
  try {
    await flock(fd, directory, '-s', options.signal)
    return await action()
  } finally {
    closeSync(fd)
  }
}

/**
 * Runs `action` while this process alone has the lock on a directory (made as needed), but waits for it only as long as
 * a container takes to start: where somebody goes on having it or sharing it, `action` is not run and the result is undefined.
 */
export async function tryLock<T>(directory: string, action: () => T | Promise<T>): Promise<T | undefined> {
  const fd = openDirectory(directory)
  try {
    return (await flock(fd, directory, '-w')) ? await action() : undefined
  } finally {
    closeSync(fd)
  }
}

/**
 * Runs `action` while this process alone has the lock on the file at `path` itself, which must be there; not where somebody else has
 * it, or has put another file there by then. Waits for nobody. Throws what node:fs throws.
 */
export function ifLockable(path: string, action: (fd: number) => void): void {
  const fd = openSync(path, 'r')
  try {
    const { spawnSync } = process.getBuiltinModule('node:child_process')
    const { status } = spawnSync('flock', [...flags['-n'], '3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
    })
    if (status === 0 && isStillAt(fd, path)) action(fd)
  } finally {
    closeSync(fd)
  }
}

function openDirectory(path: string): number {
  // Whoever may open it could hold the lock for ever; names in it may be anybody's to read.
  makeDirectories(path, 0o711)
  return openSync(path, 'r')
}

async function acquire(path: string, { onWait, signal }: LockOptions): Promise<number> {
  makeDirectories(dirname(path))
  let waiting = false
  for (;;) {
    signal?.throwIfAborted()
    const fd = openSync(path, 'a', 0o600)
    try {
      if (!(await flock(fd, path, '-n'))) {
        if (!waiting) onWait?.()
        waiting = true
        signal?.throwIfAborted()
        await flock(fd, path, '-x', signal)
      }
    } catch (error) {
      closeSync(fd)
      throw error
    }
    if (isStillAt(fd, path)) return fd
    closeSync(fd)
  }
}

const flags = { '-x': ['-x'], '-n': ['-n'], '-s': ['-s'], '-w': ['-w', '0.2'] }

/** The lock belongs to the open file, not to flock(1): it stays with our descriptor after that process has ended. */
function flock(
  fd: number,
  path: string,
  how: '-x' | '-n' | '-s' | '-w',
  signal?: AbortSignal,
): Promise<boolean> {
  // Loaded here: it costs milliseconds, and most who may lock something never do.
  const { spawn } = process.getBuiltinModule('node:child_process')
  return new Promise((resolve, reject) => {
    const child = spawn('flock', [...flags[how], '3'], { stdio: ['ignore', 'ignore', 'inherit', fd] })
    const end = () => child.kill()
    signal?.addEventListener('abort', end, { once: true })
    child.on('error', cause => {
      reject(
        new MinictrError(`Cannot lock ${path}: flock(1) does not start: ${cause.message}`, {
          remedy: 'Install util-linux, which brings flock(1).',
          cause,
        }),
      )
    })
    child.on('exit', (status, killedBy) => {
      signal?.removeEventListener('abort', end)
      if (signal?.aborted) reject(signal.reason)
      else if (status === 0) resolve(true)
      else if (status === 1 && (how === '-n' || how === '-w')) resolve(false)
      else reject(new MinictrError(`Cannot lock ${path}: flock ended with ${killedBy ?? `status ${status}`}`))
    })
  })
}

function isStillAt(fd: number, path: string): boolean {
  const open = fstatSync(fd)
  const named = statSync(path, { throwIfNoEntry: false })
  return named !== undefined && named.ino === open.ino && named.dev === open.dev
}
