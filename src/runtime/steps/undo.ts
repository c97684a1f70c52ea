// Taking back: each step that a run has left to be undone is undone by a step of its own, last one first.

import type { Step, Undo } from '../step.ts'

/** What a learner reads about the undoing of a step; `create-volume-2` is another `create-volume`. */
const whys: { [step: string]: string } = {
  'create-cgroup':
    'A cgroup outlives its processes: a directory that stays until somebody removes it. Processes that are still in it, which can only be where the container had no PID namespace of its own, are killed first. The directory above is shared by all containers, and goes with the last one.',
  'mount-shared-memory':
    'The memory that other containers could join is unmounted here. One that did keeps it, because a file system lives as long as any mount of it.',
  'find-volume':
    'Under another name nobody finds the volume any more. A container that begins says first that it uses a volume, in config.json, and then looks for it; so whoever has found it up to now is seen now, and has it back.',
  'create-volume':
    'A volume that nobody named goes with the only container that has it. Before the container’s own directory, which is where it is written down that there is one.',
  'create-container-directory':
    'Everything that outlived the process goes at once: the writable layer, the log, how it ended, the configuration. No link is followed, and nothing beyond this file system is touched.',
  'claim-name':
    'The name is free again: last, so that nobody gets it while something of this container is there. The file goes only if it still holds this id, so that no other container loses its name.',
  journal:
    'What dies with the machine anyhow: the PID, the socket, and the journal, which said what was to be undone. Last of all, so that whoever comes after a crash still finds what is left to do.',
}

const journalId = 'remove-run-directory'

/** What undoes these steps, in their order; nothing for those that the kernel undoes. */
export function undoesOf(steps: Step[]): Undo[] {
  return steps.flatMap(({ id, side, undo, undoneBy }): Undo[] => {
    if (!Array.isArray(undo) || undo.length === 0) return []
    const isInside = side === 'container' || undoneBy === 'container'
    return [{ step: id, undo, ...(isInside && { side: 'container' as const }) }]
  })
}

/** The step that takes a step back; the `journal` itself is forgotten by one too. Its acts are those the journal has. */
export function undoStep({ step, undo, side }: Undo): Step {
  return {
    id: step === 'journal' ? journalId : `undo-${step}`,
    side: side ?? 'host',
    why:
      whys[step.replace(/-\d+$/, '')] ?? `What the step ${step} made is taken back, as the journal says how.`,
    ops: undo,
    undo: { kernel: 'What is taken back stays so.' },
    lasts: 'run',
  }
}
