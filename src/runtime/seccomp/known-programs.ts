// Filter programs that were compiled before. None in the sources: the build puts Docker's default policy into the bundle
// (scripts/known-programs.ts), since compiling it takes a tenth of the time that a whole run has.

/** A configuration and the program `compileSeccomp` makes of it, as JSON. */
export type KnownProgram = { architecture: string; configuration: string; program: string }

export const knownPrograms: KnownProgram[] = []
