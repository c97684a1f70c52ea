// The script of a plan as text: correct shell, every command and every why in it, everything undone at its end.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { scriptText } from '../../../src/learn/script.ts'
import { summaryOf } from '../../../src/learn/summary.ts'
import { toolsOf } from '../../../src/learn/toolbox.ts'
import type { Op } from '../../../src/runtime/op.ts'
import { identity, plan, spec, steps } from './subject.ts'

const script = scriptText({ plan, summary: summaryOf(spec, identity) })

/** The script of a plan in which the step has other ops. */
function withOps(id: string, ops: Op[]): string {
  const changed = steps.map(step => (step.id === id ? { ...step, ops } : step))
  return scriptText({ plan: { ...plan, steps: changed }, summary: summaryOf(spec, identity) })
}

describe('the script of a plan', () => {
  it('is a script that a POSIX shell can read', () => {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })

  it('has every step with its number and its why as a comment', () => {
    const comments = script
      .split('\n')
      .filter(line => line.startsWith('# '))
      .map(line => line.slice(2))
      .join(' ')
    for (const [index, step] of steps.entries()) {
      assert.ok(comments.includes(`${index + 1}/13  ${step.id} ${step.why}`), step.id)
    }
  })

  it('moves the commands that undo a step to the right, but not the lines of a file', () => {
    const path = '/sys/fs/cgroup/minictr/box'
    const undoing = (undo: Op[]) => {
      const changed = steps.map(step => (step.id === 'create-cgroup' ? { ...step, undo } : step))
      return scriptText({ plan: { ...plan, steps: changed }, summary: summaryOf(spec, identity) })
    }
    assert.match(
      undoing([{ op: 'remove_cgroup', path }]),
      /\n {4}while .*\n {6}kill .*\n {6}sleep .*\n {4}done\n {4}\[/,
    )
    const content = "it's\nof two lines"
    assert.match(
      undoing([{ op: 'write_file', path: '/etc/motd', content, how: 'create' }]),
      /\n {4}printf .*it.*s\nof two lines/,
    )
  })

  it('enters all namespaces with one unshare, in front of the steps inside', () => {
    assert.match(
      script,
      /exec unshare --mount --pid --fork --propagation unchanged --kill-child \\\n {2}sh -euc 'eval "\$\(cat <&3\)"' 3<<'SHELL_1'\n/,
    )
    assert.ok(script.indexOf('exec unshare') < script.indexOf('mount --make-rprivate /'))
  })

  it('ends in one chain that gives up power, sets the environment and becomes the program', () => {
    const end = script.slice(script.indexOf('exec "$@"'))
    for (const option of ['--bounding-set -sys_admin', '--groups 4,24', '--regid 33', '--reuid 33']) {
      assert.ok(end.includes(`    ${option} \\\n`), option)
    }
    assert.ok(end.includes('./env -i --chdir=/srv -- \\\n'))
    assert.ok(end.includes("    'GREETING=good day' \\\n"))
    assert.ok(end.includes(`  sh -c 'echo '\\''hello'\\'''\n`))
  })

  it('leaves root alone, whose number setpriv would look up as a name in the image first', () => {
    const asRoot = withOps('switch-user', [
      { op: 'setgroups', gids: [] },
      { op: 'setresgid', gid: 0 },
      { op: 'setresuid', uid: 0 },
    ])
    assert.doesNotMatch(asRoot, /--re[ug]id 0 \\/)
    assert.match(asRoot, /--clear-groups \\/)
  })

  it('undoes what was reached, and only that, the last step first', () => {
    const cleanUp = script.slice(script.indexOf('clean_up() {'), script.indexOf('trap clean_up EXIT'))
    assert.match(cleanUp, /if \[ "\$reached" -ge 1 \]; then # create-cgroup\n {4}\[ ! -e .* \] \|\| rmdir /)
    assert.match(script, /mkdir -p -m 0755 \/sys\/fs\/cgroup\/minictr\/\$ID\nreached=1\n/)
  })

  it('checks where the image could lead its commands out of the root', () => {
    assert.match(script, /for path in \/proc; do\n {2}case \$\(realpath -m \$ROOT"\$path"\)/)
  })

  it('takes standard input only where the container does', () => {
    assert.match(script, /\n\) <\/dev\/null\n$/)
    assert.match(withOps('spawn-init', [{ op: 'spawn_init', stdin: 'once', terminal: false }]), /\n\)\n$/)
  })

  it('joins another namespace with nsenter, by the file the plan opens', () => {
    const joining = withOps('unshare-namespaces', [
      { op: 'open', path: '/proc/77/ns/net', how: 'read', as: 'net-namespace' },
      { op: 'setns', slot: 'net-namespace', namespaces: ['net'] },
      { op: 'close', slot: 'net-namespace' },
    ])
    assert.match(joining, /exec nsenter --net=\/proc\/77\/ns\/net \\\n {2}unshare --mount --fork /)
  })

  it('starts another shell inside a user namespace', () => {
    const mapping = [{ containerId: 0, hostId: 100000, size: 65536 }]
    const mapped = withOps('unshare-namespaces', [
      { op: 'create_userns', uidMappings: mapping, gidMappings: mapping, as: 'user-namespace' },
      { op: 'setns', slot: 'user-namespace', namespaces: ['user'] },
      { op: 'unshare', namespaces: ['mount', 'pid'] },
    ])
    assert.match(
      mapped,
      /exec nsenter --user=\/proc\/\$USERNS_PID\/ns\/user \\\n {2}unshare --mount --pid --fork /,
    )
    assert.equal(spawnSync('sh', ['-n'], { input: mapped }).status, 0)
  })

  it('goes on after a variable that reads like the end of a here-document', () => {
    const env = ['X=1\nSHELL_1\n\'"', 'PATH=/bin']
    const odd = withOps('execute-program', [{ op: 'execve', candidates: ['/bin/sh'], argv: ['sh'], env }])
    assert.match(odd, /3<<'SHELL_1_'\n/)
    assert.match(odd, /\nSHELL_1_\n\) <\/dev\/null\n$/)
    assert.equal(spawnSync('sh', ['-n'], { input: odd }).status, 0)
  })

  it('leaves out long files that nothing reads, and says so', () => {
    const long = withOps('create-cgroup', [
      { op: 'write_file', path: '/x/config.json', content: 'y'.repeat(5000), how: 'create' },
    ])
    assert.doesNotMatch(long, /yyyy/)
    assert.match(long, /config\.json: left out, nothing below reads it\./)
  })
})

describe('the tools that command lines need', () => {
  it('are their first words, without what the shell does itself', () => {
    assert.deepEqual(
      toolsOf([
        '[ -e /x ] || mount -t proc proc /p',
        "printf %s 'rm || dd' > /f && chmod 600 /f",
        'cd /',
        'base64 -d',
      ]),
      ['base64', 'chmod', 'mount'],
    )
  })
})
