// PID 1 of a container that wants one (--init): passes signals on, reaps what is orphaned, ends as its child ended.

#ifndef REAPER_H
#define REAPER_H

// Forks. In the child gives its PID; the parent never returns. -1 with errno where there is no child.
int fork_under_reaper(void);

#endif
