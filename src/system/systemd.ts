// The service by which systemd starts containers at a boot and stops them with the machine: its unit, put in place and taken
// away. Source: systemd.unit(5), systemd.service(5).

import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { MinictrError } from './error.ts'

export const UNIT = 'minictr.service'
/** Where an administrator's units are. */
export const UNIT_DIRECTORY = '/etc/systemd/system'

/** The target that wants it: what a machine without a screen boots to. */
const WANTED_BY = 'multi-user.target'

/** The text of the unit; `program` is minictr with its global options. */
export function unitText(program: string[]): string {
  const command = (...words: string[]) => [...program, 'system', ...words].map(quoted).join(' ')
  return `# Made by 'minictr system install-service'; 'minictr system uninstall-service' takes it away.

[Unit]
Description=minictr containers
After=network-online.target local-fs.target remote-fs.target
Wants=network-online.target

[Service]
# Nothing of it stays but the containers and their monitors: there is no daemon.
Type=oneshot
RemainAfterExit=yes
ExecStart=${command('boot')}
ExecStop=${command('shutdown')}
TasksMax=infinity

[Install]
WantedBy=${WANTED_BY}
`
}

/** Whether systemd is what this machine has booted with (sd_booted(3)). */
export function isBootedWithSystemd(): boolean {
  return existsSync('/run/systemd/system')
}

/** Writes the unit and has the boot want it, as `systemctl enable` does. */
export function installUnit(directory: string, text: string): void {
  const { unit, link, wants } = pathsIn(directory)
  mkdirSync(wants, { recursive: true, mode: 0o755 })
  writeFileSync(`${unit}.tmp`, text, { mode: 0o644 })
  renameSync(`${unit}.tmp`, unit)
  rmSync(link, { force: true })
  symlinkSync(`../${UNIT}`, link)
}

/** Takes both away. Returns false where neither was there. */
export function uninstallUnit(directory: string): boolean {
  const { unit, link } = pathsIn(directory)
  const isThere = [unit, link].some(path => lstatSync(path, { throwIfNoEntry: false }))
  rmSync(link, { force: true })
  rmSync(unit, { force: true })
  return isThere
}

/** Has a running systemd read its units anew. Throws MinictrError where it does not. */
export function reloadSystemd(): void {
  systemctl('daemon-reload', 'The unit is in its place all the same: it counts from the next boot on.')
}

/**
 * Has a running systemd start the unit: only what it has started it stops when the machine goes down. Throws MinictrError where
 * that fails.
 */
export function startUnit(): void {
  systemctl(
    `start ${UNIT}`,
    `The unit is in its place all the same, for the next boot. journalctl -u ${UNIT} has its words.`,
  )
}

function systemctl(words: string, remedy: string): void {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const { status, error, stderr } = spawnSync('systemctl', words.split(' '), { encoding: 'utf8' })
  if (status === 0) return
  throw new MinictrError(`systemctl ${words} failed: ${error?.message ?? stderr.trim()}`, { remedy })
}

function pathsIn(directory: string): { unit: string; wants: string; link: string } {
  const wants = `${directory}/${WANTED_BY}.wants`
  return { unit: `${directory}/${UNIT}`, wants, link: `${wants}/${UNIT}` }
}

/** A word of a command line as systemd reads it: quotes where needed, no specifiers, no variables. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[A-Za-z0-9_.,:=@/%$+-]+$/.test(plain)) return plain
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
