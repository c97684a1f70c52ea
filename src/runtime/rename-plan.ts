// How a container gets another name: the new one is claimed before the old one is given back, so that it always has one.

import type { Plan } from './step.ts'
import {
  claimNameStep,
  giveBackNameStep,
  lockContainerStep,
  type Replacement,
  replaceFilesStep,
} from './steps/container-files.ts'

/** All of it is decided before the plan is made. */
export type RenameContext = {
  containerId: string
  lockFile: string
  /** Where each of the names is claimed. */
  oldNameFile: string
  newNameFile: string
  /** container.json, which says which name is the container's. */
  record: Replacement
  /** What its networks know of it while it runs: its places there, and the files their DNS servers read. */
  inNetworks: Replacement[]
}

/** The ordered steps that rename a container. A pure function. Source: docker(1), `docker rename`; rename(2). */
export function renamePlan(context: RenameContext): Plan {
  const { containerId, newNameFile, oldNameFile, record, inNetworks } = context
  return {
    containerId,
    command: 'rename',
    steps: [
      lockContainerStep(context),
      claimNameStep(newNameFile, containerId),
      replaceFilesStep(
        'write-new-name',
        'container.json says which name is the container’s own. It is written beside and renamed over the old one, so that there is a whole one at every moment. Between the claim and the giving back: a crash leaves two names that lead to this container, never none, and whoever recovers gives back the one that container.json does not say.',
        [record],
      ),
      ...(inNetworks.length > 0
        ? [
            replaceFilesStep(
              'announce-new-name',
              'Others in its networks find the container by its name: the DNS servers there watch the directories of these files, and read what is renamed into them.',
              inNetworks,
            ),
          ]
        : []),
      giveBackNameStep(oldNameFile, containerId),
    ],
  }
}
