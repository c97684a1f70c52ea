// How containers are, as their files tell it, and waiting until they are so.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { findContainer, listContainers } from '../../src/containers/lookup.ts'
import type { Container } from '../../src/containers/state.ts'
import type { Debian } from './debian.ts'

/** Far more than it takes on a busy machine. */
const LONGEST_WAIT_MS = 60_000

/** Waits until it is so; fails where it does not become so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + LONGEST_WAIT_MS
  while (!(await isSo())) {
    if (Date.now() > untilMs) assert.fail(`it does not become so: ${what}`)
    await sleep(20)
  }
}

/** A container by its name. */
export function containerOf(debian: Debian, name: string): Container {
  return findContainer(debian.store(), name)
}

/** How often its policy has started it. */
export function restartCountOf(debian: Debian, name: string): number {
  return containerOf(debian, name).lifecycle?.restartCount ?? 0
}

/** Whether a container of this name is there. */
export function isThereNamed(debian: Debian, name: string): boolean {
  return listContainers(debian.store()).some(container => container.name === name)
}

/** What happened to a container, in order, without what it was made with. */
export async function eventsOf(debian: Debian, name: string): Promise<string[]> {
  const { stdout } = await debian.minictr(
    ...['events', '--since', '1h', '--until', '0s', '--filter', `container=${name}`],
    ...['--format', '{{.Action}} {{with .Actor.Attributes.exitCode}}{{.}}{{end}}'],
  )
  return stdout
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}
