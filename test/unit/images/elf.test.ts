import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readElf } from '../../../src/images/elf.ts'
import { sharedLibraries } from '../../../src/images/shared-libraries.ts'

describe('an ELF program', () => {
  it('names its interpreter and libraries, which are found on this host', () => {
    const elf = readElf('/bin/sh')!
    assert.match(elf.interpreter!, /^\/lib.*\/ld-/)
    assert.ok(elf.needed.length > 0)
    const libraries = sharedLibraries('/bin/sh', elf)
    assert.equal(libraries[0], elf.interpreter)
    for (const library of libraries) assert.equal(readElf(library)!.abi, elf.abi)
  })

  it('is none where the file is something else, and an error where it is damaged', () => {
    const directory = mkdtempSync(join(tmpdir(), 'minictr-elf-'))
    const path = join(directory, 'file')
    try {
      writeFileSync(path, '#!/bin/sh\n')
      assert.equal(readElf(path), undefined)
      writeFileSync(path, readFileSync('/bin/sh').subarray(0, 80))
      assert.throws(() => readElf(path), /is a damaged ELF file/)
      const swapped = Buffer.from(readFileSync('/bin/sh'))
      swapped[5] = 2
      writeFileSync(path, swapped)
      assert.throws(() => readElf(path), /big-endian/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
