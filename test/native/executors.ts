// Executors for the tests: in namespaces of their own, so that what they do ends with them.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Answer, type Arg, type Call, type Executor, spawnExecutor } from '../../src/system/executor.ts'

/** CLONE_NEW… of clone(2). */
export const NEW = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
}

export const MS = { rdonly: 1, remount: 32, bind: 4096, rec: 16384, private: 1 << 18 }

/** A directory for one test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-native-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

export function call(name: string, ...args: Arg[]): Call {
  return { name, args }
}

/** The call, with errors that do not stop the batch. */
export function tolerating(errnos: string[], name: string, ...args: Arg[]): Call {
  return { name, args, tolerate: errnos }
}

/** Performs the calls and asserts that every one of them was answered without an error. */
export async function succeed(executor: Executor, ...calls: Call[]): Promise<Answer[]> {
  const { answers } = await executor.perform(calls)
  const failed = answers.findIndex(answer => answer.errno !== undefined)
  if (failed >= 0) assert.fail(`${calls[failed]!.name}: ${answers[failed]!.errno}`)
  assert.equal(answers.length, calls.length)
  return answers
}

/** Performs one call and returns the name of its error. */
export async function errnoOf(executor: Executor, one: Call): Promise<string | undefined> {
  const { answers } = await executor.perform([one])
  return answers.at(-1)?.errno
}

export type Sandbox = {
  executor: Executor
  pid: number
  /** An empty tmpfs that only the executor sees; `inside` is the way to it for this process. */
  directory: string
  inside: string
}

/** Gives `body` an executor with a mount namespace of its own and an empty tmpfs in it; ends both. */
export async function inSandbox(body: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-native-'))
  const { executor, pid, close } = spawnExecutor()
  try {
    await succeed(
      executor,
      call('unshare', NEW.mount),
      call('mount', '', '', '/', '', MS.rec | MS.private, '', 0),
      call('mount', 'tmpfs', '', directory, 'tmpfs', 0, '', 0),
    )
    await body({ executor, pid, directory, inside: `/proc/${pid}/root${directory}` })
  } finally {
    await close()
    rmSync(directory, { recursive: true })
  }
}
