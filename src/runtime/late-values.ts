// What is known only while ops are performed: under which number the executor keeps a descriptor, and the PID.

import type { Answer } from '../system/executor.ts'
import type { Op, Slot, Text } from './op.ts'
import type { Resolve } from './ops/row.ts'

/** The lock of a container: the one descriptor that is kept from one message to others that know nothing of each other. */
export const containerLock: Slot = 'container-lock'
const containerLockSlot = 63

/** Values that are only known while performing: descriptors by their names, and the PID. */
export class LateValues implements Resolve {
  pid = 0
  /** Whether the PID was asked for before it was known. */
  isLacking = false
  private slots: Slot[] = []

  slot(name: Slot): number {
    if (name === containerLock) return containerLockSlot
    const known = this.slots.indexOf(name)
    return known >= 0 ? known : this.slots.push(name) - 1
  }

  text(text: Text): string {
    if (typeof text === 'string') return text
    if (this.pid === 0) this.isLacking = true
    return text.map(part => (typeof part === 'string' ? part : String(this.pid))).join('')
  }

  learn(ops: Op[], answers: Answer[]): void {
    answers.forEach(({ result }, index) => {
      const name = ops[index]?.op
      if ((name === 'spawn_init' || name === 'fork') && result > 0) this.pid = result
    })
  }
}
