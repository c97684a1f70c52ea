// What bind mounts need at their targets: the kernel binds a file to a file, and a directory to a directory.

import { statSync } from 'node:fs'
import { parseMountOptions } from '../runtime/mount-options.ts'
import type { Spec } from '../runtime/spec.ts'

/** What a bind mount needs at its target: the sources that are there now, and those the plan itself will make. */
export function bindSourceTypes(
  spec: Spec,
  files: string[],
  directories: { path: string }[],
): Record<string, 'file' | 'directory'> {
  const types: Record<string, 'file' | 'directory'> = {}
  const binds = spec.mounts.filter(({ options }) => parseMountOptions(options ?? []).bind)
  for (const { source } of binds) {
    if (source === undefined) continue
    if (files.includes(source)) types[source] = 'file'
    else if (directories.some(({ path }) => path === source)) types[source] = 'directory'
    else
      types[source] =
        statSync(source, { throwIfNoEntry: false })?.isDirectory() === false ? 'file' : 'directory'
  }
  return types
}
