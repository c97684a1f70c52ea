// A host whose mounts are a test's own: what it mounts is in a mount namespace, and gone with its last process.

import { execFile } from 'node:child_process'
import { executable, type Outcome } from '../fixtures/command-line.ts'
import type { Debian } from './debian.ts'

/**
 * Runs a shell script as root of such a host. Its arguments, "$@", are a `minictr run --rm FLAGS IMAGE` to which it
 * adds the command.
 */
export function onOwnHost(debian: Debian, script: string, ...flags: string[]): Promise<Outcome> {
  const { globals, image } = debian.store()
  const run = ['run', '--rm', '--network', 'none', ...flags]
  const command = [executable, ...globals, ...run, image]
  const unshare = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...command]
  return new Promise(resolve => {
    const child = execFile('unshare', unshare, { timeout: 30_000 }, (_, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr })
    })
  })
}
