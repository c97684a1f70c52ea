// The memory of what passes through: a pull handles each byte in several pieces, and left to the garbage collector, every
// one of them would be new memory from the kernel, which costs more than what is done with it.

/**
 * Gives the memory of a piece back at once, if the piece has it to itself (a part of something larger stays). Nobody may look at
 * the piece any more: it is empty from now on.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0)
}

/**
 * The same for the buffers of a stream that fills one after the other, each by one or more pieces: with the last of these its
 * buffer goes. Whoever had the piece may have given it to another thread already.
 */
export function releaseAfter({ buffer, byteOffset, byteLength }: Uint8Array): void {
  const memory = buffer as ArrayBuffer
  if (!memory.detached && byteOffset + byteLength === memory.byteLength) memory.transfer(0)
}
