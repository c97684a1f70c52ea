// What a monitor starts at each interval of its container's health check: one probe.

import { probe } from '../containers/probe.ts'
import type { GlobalOptions } from './command.ts'

/** The monitor knows a container that has been well once by a success. */
const [WELL, FAILED] = [0, 1]

/** Takes the whole id of a container; returns whether it is well. */
export async function perform([id = '']: string[], globals: GlobalOptions): Promise<number> {
  return (await probe(id, globals)) ? WELL : FAILED
}
