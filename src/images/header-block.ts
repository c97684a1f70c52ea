// The block that the tar package's Header reads. It takes every field as a Buffer of its own, and a layer has tens of thousands
// of fields: making those Buffers costs more than reading what is in them.

/** What Header asks of a field. */
type Field = { toString(): string }

/**
 * A block to copy headers into, one after the other. What its subarray() gives is the text of a field up to its first NUL, where
 * Header itself stops, and good until the next is asked for. Numbers in binary, whose first byte is over 0x7f, are given as they
 * are. POSIX's magic has a NUL within: Header does not know it so, and leaves out what is behind it and nobody asks it for.
 */
export function makeHeaderBlock(sizeBytes: number): Buffer {
  const block = Buffer.alloc(sizeBytes)
  let [start, end] = [0, 0]
  const field: Field = {
    toString() {
      if (block[start] === 0) return ''
      const nul = block.indexOf(0, start)
      return block.toString('utf8', start, nul < 0 || nul > end ? end : nul)
    },
  }
  const subarray = (from: number, to: number): Field => {
    if (block[from]! > 0x7f) return Buffer.prototype.subarray.call(block, from, to)
    start = from
    end = to
    return field
  }
  return Object.assign(block, { subarray }) as Buffer
}
