// A client as the tests need one: a process of its own whose stdio the monitor takes over, and which can be killed.
//
//   node client.ts '{"script": "echo hi", "stdin": true, …}'
//
// Runs the script with sh as PID 1 of a new PID namespace on the host's files, and exits as it did.

import { Monitor } from '../../src/system/monitor.ts'
import { call, MS, NEW, succeed } from './executors.ts'

export type ClientOptions = {
  script: string
  /** The script reads this process's standard input; `open`: an input that nobody's end ends. */
  stdin?: boolean | 'open'
  /** The script gets a terminal of its own devpts. */
  terminal?: boolean
  /** This process's terminal in raw mode. */
  raw?: boolean
  hostPid?: boolean
  recordExit?: string
  log?: { path: string; maxBytes?: number; maxFiles?: number }
  /** Where others may attach. */
  listen?: string
  detachKeys?: string
  /** Those of this process's that the container has; all, if nothing is said. */
  streams?: { stdin: boolean; stdout: boolean; stderr: boolean }
  cleaner?: string
  onOrphan?: string[]
  /** What is started again and again while the script runs; times in milliseconds. */
  probe?: { argv: string[]; interval: number; startPeriod?: number; startInterval?: number }
  /** Stop here, for ever: 'before-watch' or 'running'. */
  stopAt?: 'before-watch' | 'running'
  /** Leave the monitor to itself once the script runs. */
  detach?: boolean
  /** Ops of the executor right before it becomes the script. */
  last?: { name: string; args: (number | string)[] }[]
}

const options = JSON.parse(process.argv[2]!) as ClientOptions
const { script, stdin = false, terminal = false } = options
const monitor = Monitor.ofLauncher() ?? Monitor.spawn({ stdin: stdin ? 'inherit' : 'ignore' })
const { host, init } = monitor

if (options.recordExit) await succeed(host, call('record_exit', options.recordExit))
if (options.onOrphan) await succeed(host, call('on_orphan', options.onOrphan, ['PATH=/usr/bin:/bin']))
if (options.log) {
  const { path, maxBytes = 0, maxFiles = 1 } = options.log
  await succeed(host, call('log_to', path, maxBytes, maxFiles))
}
if (options.listen) await succeed(host, call('listen', options.listen))
if (options.detachKeys) await succeed(host, call('detach_keys', Buffer.from(options.detachKeys)))
if (options.cleaner) await succeed(host, call('cleaner', options.cleaner))
if (options.probe) {
  const { argv, interval, startPeriod = 0, startInterval = 0 } = options.probe
  await succeed(host, call('probe', argv, ['PATH=/usr/bin:/bin'], interval, startPeriod, startInterval))
}
if (options.streams) {
  const { stdin, stdout, stderr } = options.streams
  await succeed(host, call('client_streams', ...[stdin, stdout, stderr].map(Number)))
}
const input = { false: 0, true: 1, open: 2 }[String(stdin)]!
const [spawned] = await succeed(host, call('spawn_init', input, terminal ? 1 : 0))
let pid = spawned!.result
if (!options.hostPid) {
  const answers = await succeed(
    init,
    call('unshare', NEW.pid | NEW.mount),
    call('mount', '', '', '/', '', MS.rec | MS.private, '', 0),
    call('fork'),
    call('mount', 'proc', '', '/proc', 'proc', 0, '', 0),
  )
  pid = answers[2]!.result
}
if (terminal) {
  await succeed(
    init,
    call('setsid'),
    call('mount', 'devpts', '', '/dev/pts', 'devpts', 0, 'newinstance,ptmxmode=0666,mode=0620', 0),
    call('open_pty', '/dev/pts/ptmx', 0, 24, 80),
    ...[0, 1, 2].map(fd => call('dup2', 0, fd)),
    call('close', 0),
    call('set_controlling_terminal', 0),
  )
}
if (options.raw) await succeed(host, call('raw_terminal'))
if (options.stopAt === 'before-watch') await stop()
await succeed(host, call('watch', pid))
process.on('SIGWINCH', () => void host.perform([call('resize')]))
process.on('SIGUSR1', () => void host.perform([call('signal', 10)]))
const argv = ['sh', '-c', script]
const { answers, closed } = await init.perform([
  ...(options.last ?? []),
  call('execve', ['/bin/sh'], argv, ['PATH=/usr/bin:/bin', 'HOME=/']),
])
if (!closed) throw new Error(`execve: ${JSON.stringify(answers)}`)
if (options.stopAt === 'running') await stop()
if (options.detach) {
  monitor.disconnect()
} else {
  const exit = await monitor.exitOrDetach()
  if (exit === 'detached') {
    monitor.disconnect()
    process.stderr.write(`detached: monitor ${monitor.pid} container ${pid}\n`)
  } else {
    await host.perform([call('on_orphan', [], [])])
    await monitor.close()
    if (exit.signal) process.stderr.write(`ended by ${exit.signal}\n`)
    process.exitCode = exit.status
  }
}

async function stop(): Promise<void> {
  process.stderr.write(`stopped: monitor ${monitor.pid} container ${pid}\n`)
  await new Promise(resolve => setTimeout(resolve, 1 << 30))
}
