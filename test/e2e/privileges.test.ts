// What a container's root may not do: capabilities, system calls, devices, the files of the machine, the host's things.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { capabilitiesOf, defaultCapabilities } from '../../src/runtime/capabilities.ts'
import { helperPath } from '../../src/system/executor.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { useDebian } from './debian.ts'

const debian = useDebian()

/** The capabilities of a set as /proc/self/status tells them inside. */
async function capabilities(set: string, ...flags: string[]): Promise<string[]> {
  const mask = await debian.inside(`sed -n "s/^Cap${set}:\\t//p" /proc/self/status`, ...flags)
  return capabilitiesOf(BigInt(`0x${mask}`))
}

describe('capabilities', () => {
  it('are the fourteen of Docker, as far as the host has them', async () => {
    const { boundingSet } = hostFacts()
    const expected = capabilitiesOf(boundingSet).filter(name => defaultCapabilities.includes(name))
    for (const set of ['Eff', 'Prm', 'Bnd']) assert.deepEqual(await capabilities(set), expected, set)
    for (const set of ['Inh', 'Amb']) assert.deepEqual(await capabilities(set), [], set)
  })

  it('are added and dropped by name, with and without CAP_, in any case', async () => {
    assert.deepEqual(
      await capabilities('Bnd', '--cap-drop', 'ALL', '--cap-add', 'net_admin', '--cap-add', 'CAP_CHOWN'),
      ['CAP_CHOWN', 'CAP_NET_ADMIN'],
    )
    const all = await capabilities('Eff', '--cap-add', 'ALL', '--cap-drop', 'SYS_TIME')
    const host = capabilitiesOf(hostFacts().boundingSet)
    assert.deepEqual(
      all,
      host.filter(name => name !== 'CAP_SYS_TIME'),
    )
  })

  it('are all of the host with --privileged', async () => {
    assert.deepEqual(await capabilities('Eff', '--privileged'), capabilitiesOf(hostFacts().boundingSet))
  })

  it('that do not exist are refused', async () => {
    const { status, stderr } = await debian.run(['--cap-add', 'FLY'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /--cap-add FLY: Linux has no capability of this name/)
  })

  it('decide: without CHOWN root cannot change an owner', async () => {
    const script = 'touch /f; chown daemon /f 2>/dev/null && echo can || echo cannot'
    assert.equal(await debian.inside(script), 'can')
    assert.equal(await debian.inside(script, '--cap-drop', 'CHOWN'), 'cannot')
  })
})

/** A setuid program that tells its effective user: a copy of id(1) of the image. */
const setuidScript = 'cp /usr/bin/id /tmp/id; chmod u+s /tmp/id; su -s /bin/sh daemon -c "/tmp/id -u"'

describe('no-new-privileges', () => {
  it('takes the effect of setuid programs', async () => {
    assert.equal(await debian.inside(setuidScript), '0')
    assert.equal(await debian.inside(setuidScript, '--security-opt', 'no-new-privileges'), '1')
    assert.equal(await debian.inside(setuidScript, '--security-opt', 'no-new-privileges:false'), '0')
  })
})

describe('system calls', () => {
  const calls = `
    unshare --mount true 2>/dev/null && echo unshare; unshare --user true 2>/dev/null && echo userns
    mount -t tmpfs none /mnt 2>/dev/null && echo mount
    perl -e 'print "keyctl\\n" if syscall(250, 0, -3, 0) > 0'
    perl -e 'print "personality\\n" if syscall(135, 0x40000) >= 0'
    true`

  it('that know no namespaces are refused by the default policy', {
    skip: process.arch !== 'x64' && 'numbers of x86-64',
  }, async () => {
    assert.equal(await debian.inside(calls), '')
    assert.equal(await debian.inside('grep Seccomp: /proc/self/status'), 'Seccomp:\t2')
  })

  it('are allowed as capabilities are added', {
    skip: process.arch !== 'x64' && 'numbers of x86-64',
  }, async () => {
    assert.equal(await debian.inside(calls, '--cap-add', 'SYS_ADMIN'), 'unshare\nuserns\nmount')
  })

  it('are all there with seccomp=unconfined, within the capabilities', {
    skip: process.arch !== 'x64' && 'numbers of x86-64',
  }, async () => {
    assert.equal(
      await debian.inside(calls, '--security-opt', 'seccomp=unconfined'),
      'userns\nkeyctl\npersonality',
    )
    assert.equal(
      await debian.inside('grep Seccomp: /proc/self/status', '--security-opt', 'seccomp=unconfined'),
      'Seccomp:\t0',
    )
  })

  it('follow a profile of one’s own', async () => {
    const file = join(debian.directory(), 'profile.json')
    const refused = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }]
    writeFileSync(file, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: refused }))
    const { stderr } = await debian.run(['--security-opt', `seccomp=${file}`], ['mkdir', '/x'])
    assert.match(stderr, /No space left on device/)
    for (const text of ['nonsense', '{"defaultAction":"SCMP_ACT_FLY"}']) {
      writeFileSync(file, text)
      const { status, stderr } = await debian.run(['--security-opt', `seccomp=${file}`], ['true'])
      assert.equal(status, 125, stderr)
    }
  })
})

describe('devices', () => {
  const names = 'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'

  it('are the few that every program expects', async () => {
    assert.equal((await debian.inside('ls /dev')).split('\n').join(' '), names)
    assert.equal(
      await debian.inside(
        'head -c 2 /dev/zero | wc -c; echo x > /dev/null; head -c 1 /dev/urandom | wc -c; : < /dev/full; echo x 2>/dev/null > /dev/full || echo full',
      ),
      '2\n1\nfull',
    )
  })

  it('cannot be opened by nodes of one’s own, the disks of the host above all', async () => {
    const major = statSync('/').dev >> 8
    const script = `mknod /disk b ${major} 0 && head -c 1 /disk; mknod /kmsg c 1 11 && head -c 1 /kmsg; mknod /zero c 1 5 && head -c 1 /zero | wc -c`
    const { stdout, stderr } = await debian.run([], ['sh', '-c', script])
    assert.equal(stdout, '1\n')
    assert.match(
      stderr,
      /'\/disk' for reading: Operation not permitted\n.*'\/kmsg' for reading: Operation not permitted/,
    )
  })

  it('that --device names are there, as far as its letters say', async () => {
    const kmsg = statSync('/dev/kmsg')
    const script = 'stat -c "%t:%T %u:%g" /dev/kmsg; dd if=/dev/kmsg of=/dev/null count=0 && echo read'
    const mode = `1:b ${kmsg.uid}:${kmsg.gid}`
    const { stdout } = await debian.run(['--device', '/dev/kmsg', '--privileged'], ['sh', '-c', script])
    assert.equal(stdout, `${mode}\nread\n`)
    const zero = await debian.run(
      ['--device', '/dev/loop-control:/dev/mine:r'],
      ['sh', '-c', 'exec 3</dev/mine && echo read; exec 4>/dev/mine && echo written'],
    )
    assert.equal(zero.stdout, existsSync('/dev/loop-control') ? 'read\n' : '')
    const missing = await debian.run(['--device', '/dev/nosuch'], ['true'])
    assert.equal(missing.status, 125)
    assert.match(
      missing.stderr,
      /error gathering device information while adding custom device "\/dev\/nosuch": no such file or directory/,
    )
  })

  it('are all of the host with --privileged', async () => {
    const seen = (await debian.inside('ls /dev', '--privileged')).split('\n')
    assert.ok(seen.includes('kmsg'))
    assert.equal(await debian.inside('mknod /n c 1 5 && head -c 1 /n | wc -c', '--privileged'), '1')
  })
})

describe('the files of the machine', () => {
  it('are read-only or covered', async () => {
    const script = `
      for file in /proc/sys/vm/swappiness /proc/sysrq-trigger /proc/irq/default_smp_affinity /proc/bus/x /sys/kernel/profiling /sys/fs/cgroup/x; do
        (: > $file) 2>/dev/null && echo "written: $file"
      done
      cat /proc/keys /proc/timer_list /proc/kcore /proc/sched_debug 2>/dev/null | head -c 10 | wc -c
      ls -A /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v : | grep -c .
      true`
    assert.equal(await debian.inside(script), '0\n0')
  })

  it('are open with --privileged, and with systempaths=unconfined not covered', async () => {
    assert.match(
      await debian.inside('awk \'$5 == "/sys" { print $6 }\' /proc/self/mountinfo', '--privileged'),
      /^rw,/,
    )
    const script = "grep -cE ' /proc/(keys|sys|timer_list) ' /proc/self/mountinfo; true"
    assert.notEqual(await debian.inside(script), '0')
    assert.equal(await debian.inside(script, '--security-opt', 'systempaths=unconfined'), '0')
  })
})

describe('what belongs to the caller', () => {
  it('stays outside: its directory, its files, its session, its keyring', async () => {
    const script = 'readlink /proc/1/cwd /proc/1/root; ls /proc/1/fd | xargs; cut -d " " -f 6 /proc/1/stat'
    assert.equal(await debian.inside(script), '/\n/\n0 1 2\n1')
    if (process.arch !== 'x64') return
    const program = 'print syscall(250, 0, -3, 0)'
    const mine = execFileSync('perl', ['-e', program], { encoding: 'utf8' })
    const { stdout } = await debian.run(['--security-opt', 'seccomp=unconfined'], ['perl', '-e', program])
    assert.match(stdout, /^\d+$/)
    assert.notEqual(stdout, mine)
  })

  it('is not to be had by a program that is the runtime’s own: /proc/self/exe as the entry point', async () => {
    const before = readFileSync(helperPath())
    const file = join(debian.directory(), 'evil')
    writeFileSync(file, '#!/proc/self/exe\n', { mode: 0o755 })
    const { stdout } = await debian.run(['-v', `${file}:/evil`], ['/evil'])
    assert.equal(stdout, '')
    const direct = await debian.run([], ['/proc/self/exe'])
    assert.equal(direct.stdout, '')
    assert.deepEqual(readFileSync(helperPath()), before)
  })

  it('is not overwritten through the init that --init leaves inside', async () => {
    const script =
      '(: > /proc/1/exe) 2>/dev/null && echo written; (echo x >> /proc/1/exe) 2>/dev/null && echo appended; readlink /proc/1/exe'
    const seen = await debian.inside(script, '--init', '--cap-add', 'SYS_PTRACE')
    assert.match(seen, /^\/memfd:minictr-helper \(deleted\)$/)
  })
})
