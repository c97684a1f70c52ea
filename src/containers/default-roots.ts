// Where minictr keeps its things unless it is told other places.

import type { Roots } from './state.ts'

export const DEFAULT_ROOTS: Roots = { root: '/var/lib/minictr', runRoot: '/run/minictr' }
