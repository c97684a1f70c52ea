// One who attaches to a container, as a process of its own: node attacher.ts SOCKET '{"tty": true, …}'

import { attach } from '../../src/system/attach.ts'

const { detachKeys = [], ...given } = JSON.parse(process.argv[3] ?? '{}')
const options = { stdin: true, stdout: true, stderr: true, tty: false, signalProxy: true }
const end = await attach(process.argv[2]!, {
  ...options,
  ...given,
  detachKeys: Uint8Array.from(detachKeys),
})
if (end === 'detached') process.stderr.write('detached\n')
else if (typeof end === 'object') process.stderr.write(`unwritten ${end.stream} ${end.errno}\n`)
else process.exitCode = end
