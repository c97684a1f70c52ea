// A process in a container can open /proc/PID/exe of another one there. Were that the program's file on the host, a
// hostile image could overwrite it and be root on the host at the next start (CVE-2019-5736). So what enters
// containers is a copy in memory, sealed against every change.

#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

extern char **environ;

static int copy_to_memory(int program) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int copy = (int)syscall(SYS_memfd_create, "minictr-helper", flags | MFD_EXEC);
  if (copy < 0 && errno == EINVAL) copy = (int)syscall(SYS_memfd_create, "minictr-helper", flags); // before Linux 6.3
  struct stat status;
  if (copy < 0 || fstat(program, &status)) return -1;
  for (off_t left = status.st_size; left > 0;) {
    ssize_t sent = sendfile(copy, program, NULL, (size_t)left);
    if (sent <= 0) return -1;
    left -= sent;
  }
  return fcntl(copy, F_ADD_SEALS, SEALS) ? -1 : copy;
}

int become_sealed(char **argv) {
  int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (program < 0) return -1;
  int seals = fcntl(program, F_GET_SEALS);
  if (seals >= 0 && (seals & SEALS) == SEALS) return close(program);
  int copy = copy_to_memory(program);
  if (copy >= 0) syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
  return -1;
}
