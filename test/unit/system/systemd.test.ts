// The unit of the service, as systemd reads it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unitText } from '../../../src/system/systemd.ts'

/** The command line behind a key. */
function lineOf(key: string, ...program: string[]): string | undefined {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(unitText(program))?.[1]
}

describe('the unit', () => {
  it('calls minictr at the boot and when the machine goes down', () => {
    const program = ['/usr/local/bin/minictr', '--root', '/var/lib/minictr']
    assert.equal(lineOf('ExecStart', ...program), `${program.join(' ')} system boot`)
    assert.equal(lineOf('ExecStop', ...program), `${program.join(' ')} system shutdown`)
  })

  it('keeps systemd from reading words as anything else', () => {
    assert.equal(
      lineOf('ExecStart', '/opt/my minictr', '--root', '/a%b', '/$HOME', 'say "\\"', "it's"),
      String.raw`"/opt/my minictr" --root /a%%b /$$HOME "say \"\\\"" "it's" system boot`,
    )
  })
})
