// Stops a container, and is killed before a step of that: node stopper.ts ROOT RUN-ROOT NAME STEP 'minictr'|'all of its processes'

import { findContainer } from '../../src/containers/lookup.ts'
import { stopContainer } from '../../src/containers/stop.ts'
import { spawnExecutor } from '../../src/system/executor.ts'

const [root, runRoot, name, at, whom] = process.argv.slice(2)
const roots = { root: root!, runRoot: runRoot!, configFile: '/etc/minictr/config.json' }
const { executor, pid, close } = spawnExecutor()
await stopContainer(findContainer(roots, name!), roots, executor, {
  timeoutSeconds: 0,
  observer: {
    async before(_, index) {
      if (index === Number(at)) {
        if (whom !== 'minictr') process.kill(pid, 'SIGKILL')
        process.kill(process.pid, 'SIGKILL')
      }
      return 'go'
    },
  },
})
await close()
