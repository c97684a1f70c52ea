// Pseudo terminals (pty(7)). The container gets one of its own devpts instance, so that /dev/pts/0 in it exists.

#include "executor.h"
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

union descriptor_message {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_descriptor(int socket, int fd) {
  union descriptor_message control;
  struct iovec byte = {.iov_base = "p", .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  memset(&control, 0, sizeof control);
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int receive_descriptor(int socket) {
  union descriptor_message control;
  char byte;
  struct iovec into = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!got || !header || header->cmsg_type != SCM_RIGHTS) return errno = ECONNRESET, -1;
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

static int open_peer(int controlling, int64_t rows, int64_t columns) {
  int unlocked = 0;
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  if (ioctl(controlling, TIOCSPTLCK, &unlocked)) return -1;
  if (rows > 0 && columns > 0 && ioctl(controlling, TIOCSWINSZ, &size)) return -1;
  return ioctl(controlling, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

// open_pty path slot rows columns: path of a ptmx; the peer is kept, the controlling end goes to the monitor
static int64_t op_open_pty(struct executor *executor, const struct arg *args) {
  int controlling = open(args[0].text, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (controlling < 0) return -1;
  int peer = open_peer(controlling, args[2].number, args[3].number);
  int result = peer < 0 ? -1 : send_descriptor(executor->monitor, controlling);
  int error = errno;
  close(controlling);
  if (result && peer >= 0) close(peer);
  errno = error;
  return result ? -1 : slot_put(executor, args[1].number, peer);
}

// set_controlling_terminal fd
static int64_t op_set_controlling_terminal(struct executor *executor, const struct arg *args) {
  return ioctl((int)args[0].number, TIOCSCTTY, 0);
}

const struct op terminal_ops[] = {
    {"open_pty", "siii", op_open_pty, false},
    {"set_controlling_terminal", "i", op_set_controlling_terminal, false},
    {0},
};
