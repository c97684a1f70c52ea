// What `top` keeps of the output of ps(1).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTable } from '../../../src/containers/processes.ts'

describe('the table of ps', () => {
  const output = `UID          PID    PPID  CMD
root           1       0  /sbin/init splash
root          12       1  sleep   100 x
root         120       1  sleep 1
`

  it('is that of the container’s processes, the last column with the rest of the line', () => {
    assert.deepEqual(parseTable(output, new Set([12])), {
      titles: ['UID', 'PID', 'PPID', 'CMD'],
      processes: [['root', '12', '1', 'sleep 100 x']],
    })
  })

  it('needs a column of PIDs', () => {
    assert.throws(() => parseTable('CMD\nsleep 1\n', new Set([1])), {
      message: "Couldn't find PID field in ps output",
    })
  })

  it('has the threads of a process behind it', () => {
    const threads = `PID   LWP CMD
1     - init
-     1 -
12    - sleep
-    12 -
-    13 -
`
    assert.deepEqual(parseTable(threads, new Set([12])).processes, [
      ['12', '-', 'sleep'],
      ['-', '12', '-'],
      ['-', '13', '-'],
    ])
  })
})
