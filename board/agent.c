// SPDX-License-Identifier: Apache-2.0
//
// The guest's end of `board run`: runs commands on the emulated machine for the host.
//
//   agent        as process 1: serves every virtio serial port there is, and reaps what is orphaned
//
// Each port is served by a process of its own, so as many commands can run at once as there are ports. A port carries
// bytes and knows no sessions: the host's processes come and go, and one may die in the middle of a frame. So a session
// starts with a HELLO that carries a random nonce, and whoever is not sure what the port still holds sends more zeros
// than a frame is long before it: they fill up what was begun, and between frames they mean nothing.
//
// A frame is a type (one byte), the payload's length (three bytes, little-endian) and the payload:
//
//   to the guest: HELLO  16 bytes of nonce; ends what ran before
//                 RUN    flags (bit 0: on a terminal), rows (2), columns (2), count of arguments (2), the arguments and
//                        then the environment, each string ended by 0
//                 INPUT  bytes for standard input, never more than credit was given for      END  no more of them
//                 SIGNAL number, for the command's process group
//                 BYE    answered by BYE: nothing is under way any more
//   to the host:  HELLO  the nonce                   CREDIT bytes of input that may be sent (4)
//                 OUTPUT standard output             ERRORS standard error
//                 EXIT   how (0 by itself, 1 by a signal, 2 not started), exit status, signal or errno (1), and the
//                        nanoseconds it took by the guest's clock (8), which counts instructions under -icount
//
// A session ends with its command, not with the processes that the command left behind: what they still hold open is
// not waited for. When the host goes away, the command's process group is killed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	NOTHING = 0,
	HELLO = 'H',
	RUN = 'R',
	INPUT = 'I',
	END = 'E',
	SIGNAL = 'S',
	BYE = 'B',
	CREDIT = 'C',
	OUTPUT = 'o',
	ERRORS = 'e',
	EXIT = 'X',

	HEADER = 4,
	PAYLOAD_MAX = 65536,
	WINDOW = 262144, // of input under way
	NONCE = 16,
};

struct session {
	int port, signals;
	pid_t child;                  // 0: none runs
	int input, output, errors;    // our ends of its pipes; on a terminal input and output are the same; -1: closed
	bool input_ends;              // END has come: close input when what waits is written
	uint8_t *waiting;             // input that the child has not taken yet
	uint32_t waiting_start, waiting_end;
	struct timespec started;
	uint8_t *received;            // from the port: at most one frame, not whole yet
	uint32_t received_length;
};

static void complain(const char *what)
{
	dprintf(STDERR_FILENO, "agent: %s: %s\n", what, strerror(errno));
}

static uint32_t read_u16(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

static void set_nonblocking(int file)
{
	fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK);
}

static void close_file(int *file)
{
	if (*file >= 0)
		close(*file);
	*file = -1;
}

// Sends `frame`, whose payload follows HEADER bytes that are filled in here. Without a host the bytes are dropped.
static void send_frame(struct session *session, uint8_t type, uint8_t *frame, uint32_t length)
{
	frame[0] = type;
	frame[1] = (uint8_t)length;
	frame[2] = (uint8_t)(length >> 8);
	frame[3] = (uint8_t)(length >> 16);
	for (uint32_t sent = 0; sent < HEADER + length;) {
		ssize_t count = write(session->port, frame + sent, HEADER + length - sent);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return;
		sent += (uint32_t)count;
	}
}

static void give_credit(struct session *session, uint32_t count)
{
	uint8_t frame[HEADER + 4];
	for (int i = 0; i < 4; i++)
		frame[HEADER + i] = (uint8_t)(count >> 8 * i);
	send_frame(session, CREDIT, frame, 4);
}

static void send_exit(struct session *session, uint8_t how, uint8_t value)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t nanoseconds = (now.tv_sec - session->started.tv_sec) * INT64_C(1000000000) + now.tv_nsec -
		session->started.tv_nsec;
	uint8_t frame[HEADER + 10] = {[HEADER] = how, [HEADER + 1] = value};
	for (int i = 0; i < 8; i++)
		frame[HEADER + 2 + i] = (uint8_t)(nanoseconds >> 8 * i);
	send_frame(session, EXIT, frame, 10);
}

// ---- the command ----

static void close_pipes(struct session *session)
{
	if (session->output == session->input)
		session->output = -1;
	close_file(&session->input);
	close_file(&session->output);
	close_file(&session->errors);
	session->waiting_start = session->waiting_end = 0;
	session->input_ends = false;
}

// Ends the command without telling the host.
static void abandon(struct session *session)
{
	if (session->child != 0) {
		kill(-session->child, SIGKILL);
		while (waitpid(session->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	session->child = 0;
	close_pipes(session);
}

// Passes on what has come from the child; false when there is nothing more for now, or ever.
static bool forward(struct session *session, int *file, uint8_t type)
{
	static uint8_t frame[HEADER + 32768]; // the driver of the port takes no more at once
	if (*file < 0)
		return false;
	ssize_t count = read(*file, frame + HEADER, sizeof frame - HEADER);
	if (count > 0) {
		send_frame(session, type, frame, (uint32_t)count);
		return true;
	}
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (file == &session->output && session->input == session->output)
		session->input = -1;
	close_file(file); // its end, or of a terminal EIO
	return false;
}

static void feed(struct session *session)
{
	uint32_t length = session->waiting_end - session->waiting_start;
	if (session->input >= 0 && length > 0) {
		ssize_t count = write(session->input, session->waiting + session->waiting_start, length);
		if (count < 0 && errno != EAGAIN && errno != EINTR) {
			// The child does not read any more. Nor does it get more: the host waits for its end.
			if (session->input == session->output)
				session->input = -1;
			close_file(&session->input);
			return;
		}
		if (count > 0) {
			session->waiting_start += (uint32_t)count;
			give_credit(session, (uint32_t)count);
		}
	}
	if (session->waiting_start == session->waiting_end) {
		session->waiting_start = session->waiting_end = 0;
		if (session->input_ends && session->input != session->output)
			close_file(&session->input);
	}
}

static void take_input(struct session *session, const uint8_t *bytes, uint32_t length)
{
	if (session->child == 0 || session->input < 0)
		return;
	if (session->waiting_end + length > WINDOW) {
		memmove(session->waiting, session->waiting + session->waiting_start, session->waiting_end - session->waiting_start);
		session->waiting_end -= session->waiting_start;
		session->waiting_start = 0;
	}
	if (length > WINDOW - session->waiting_end) {
		abandon(session); // more than credit was given for: not a host that still lives
		return;
	}
	memcpy(session->waiting + session->waiting_end, bytes, length);
	session->waiting_end += length;
	feed(session);
}

// The child's side of `run`: never returns. It shares our memory until it becomes the command (a fork would copy the
// tables of pages, which is slow on an emulated machine), so it changes nothing in it.
static void become(char **arguments, char **environment, int input, int output, int errors, bool terminal)
{
	sigset_t none;
	sigemptyset(&none);
	setsid();
	if (terminal)
		ioctl(input, TIOCSCTTY, 0);
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	closefrom(3);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvpe(arguments[0], arguments, environment);
	int status = errno == ENOENT ? 127 : 126;
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(status);
}

static void run(struct session *session, uint8_t *payload, uint32_t length)
{
	abandon(session);
	clock_gettime(CLOCK_MONOTONIC, &session->started);
	uint32_t count = length > 7 && payload[length - 1] == 0 ? read_u16(payload + 5) : 0;
	char **strings = calloc(length + 2, sizeof *strings); // arguments, NULL, environment, NULL
	if (count == 0 || strings == NULL) {
		send_exit(session, 2, EINVAL);
		free(strings);
		return;
	}
	bool terminal = payload[0] & 1;
	uint32_t n = 0;
	for (uint8_t *at = payload + 7; at < payload + length; at += strlen((char *)at) + 1) {
		if (n == count)
			n++;
		strings[n++] = (char *)at;
	}
	char **environment = strings + count + 1;

	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
	bool made;
	if (terminal) {
		in[1] = posix_openpt(O_RDWR | O_NOCTTY);
		made = in[1] >= 0 && grantpt(in[1]) == 0 && unlockpt(in[1]) == 0 &&
			(in[0] = open(ptsname(in[1]), O_RDWR | O_NOCTTY)) >= 0;
		struct winsize size = {
			.ws_row = (unsigned short)read_u16(payload + 1),
			.ws_col = (unsigned short)read_u16(payload + 3),
		};
		if (made)
			ioctl(in[1], TIOCSWINSZ, &size);
	} else {
		made = pipe(in) == 0 && pipe(out) == 0 && pipe(err) == 0;
	}
	pid_t child = made ? vfork() : -1;
	if (child == 0)
		become(strings, environment, in[0], terminal ? in[0] : out[1], terminal ? in[0] : err[1], terminal);
	int error = errno;
	free(strings);
	close_file(&in[0]);
	close_file(&out[1]);
	close_file(&err[1]);
	session->input = in[1];
	session->output = terminal ? in[1] : out[0];
	session->errors = err[0];
	if (child < 0) {
		close_pipes(session);
		send_exit(session, 2, (uint8_t)error);
		return;
	}
	session->child = child;
	set_nonblocking(session->input);
	set_nonblocking(session->output);
	if (session->errors >= 0)
		set_nonblocking(session->errors);
	give_credit(session, WINDOW);
}

// ---- the port ----

static void obey(struct session *session, uint8_t type, uint8_t *payload, uint32_t length)
{
	switch (type) {
	case HELLO:
		abandon(session);
		if (length == NONCE) {
			uint8_t frame[HEADER + NONCE];
			memcpy(frame + HEADER, payload, NONCE);
			send_frame(session, HELLO, frame, NONCE);
		}
		break;
	case RUN:
		run(session, payload, length);
		break;
	case INPUT:
		take_input(session, payload, length);
		break;
	case END:
		session->input_ends = true;
		feed(session);
		break;
	case SIGNAL:
		if (session->child != 0 && length == 1)
			kill(-session->child, payload[0]);
		break;
	case BYE: {
		uint8_t frame[HEADER];
		abandon(session);
		send_frame(session, BYE, frame, 0);
		break;
	}
	default:
		break;
	}
}

// Reads from the port and obeys; false when no host is there.
static bool listen_to_host(struct session *session)
{
	uint8_t *bytes = session->received;
	ssize_t count = read(session->port, bytes + session->received_length,
		HEADER + PAYLOAD_MAX - session->received_length);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR;
	if (count == 0)
		return false;
	session->received_length += (uint32_t)count;
	uint32_t at = 0;
	for (;;) {
		uint32_t left = session->received_length - at;
		if (left > 0 && bytes[at] == NOTHING) {
			at++;
			continue;
		}
		if (left < HEADER)
			break;
		uint32_t length = read_u16(bytes + at + 1) | (uint32_t)bytes[at + 3] << 16;
		if (length > PAYLOAD_MAX) {
			at++; // not the start of a frame
			continue;
		}
		if (left < HEADER + length)
			break;
		obey(session, bytes[at], bytes + at + HEADER, length);
		at += HEADER + length;
	}
	memmove(bytes, bytes + at, session->received_length - at);
	session->received_length -= at;
	return true;
}

static void look_after_child(struct session *session)
{
	int status;
	if (session->child == 0 || waitpid(session->child, &status, WNOHANG) != session->child)
		return;
	// What it wrote before it ended is in the pipes already.
	while (forward(session, &session->output, OUTPUT))
		;
	while (forward(session, &session->errors, ERRORS))
		;
	session->child = 0;
	close_pipes(session);
	if (WIFSIGNALED(status))
		send_exit(session, 1, (uint8_t)WTERMSIG(status));
	else
		send_exit(session, 0, (uint8_t)WEXITSTATUS(status));
}

// Serves one port for ever. A port without a host is always "ready", so it is not polled then: the driver sends SIGIO
// when a host comes.
static void serve(const char *name)
{
	struct session session = {.input = -1, .output = -1, .errors = -1};
	session.received = malloc(HEADER + PAYLOAD_MAX);
	session.waiting = malloc(WINDOW);
	session.port = open(name, O_RDWR | O_CLOEXEC);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	session.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (session.received == NULL || session.waiting == NULL || session.port < 0 || session.signals < 0) {
		complain(name);
		_exit(1);
	}
	fcntl(session.port, F_SETOWN, getpid());
	fcntl(session.port, F_SETFL, O_ASYNC);
	bool connected = true;
	for (;;) {
		bool hungry = session.input >= 0 && session.waiting_end > session.waiting_start;
		struct pollfd files[] = {
			{.fd = session.signals, .events = POLLIN},
			{.fd = connected ? session.port : -1, .events = POLLIN},
			{.fd = session.output, .events = POLLIN},
			{.fd = session.errors, .events = POLLIN},
			{.fd = hungry ? session.input : -1, .events = POLLOUT},
		};
		if (poll(files, sizeof files / sizeof *files, -1) < 0)
			continue;
		if (files[0].revents != 0) {
			struct signalfd_siginfo information;
			while (read(session.signals, &information, sizeof information) > 0)
				connected = connected || information.ssi_signo == SIGIO;
		}
		if (files[2].revents != 0)
			forward(&session, &session.output, OUTPUT);
		if (files[3].revents != 0)
			forward(&session, &session.errors, ERRORS);
		if (files[4].revents != 0)
			feed(&session);
		look_after_child(&session);
		if (files[1].revents & POLLIN)
			connected = listen_to_host(&session);
		else if (files[1].revents & POLLHUP)
			connected = false;
		if (!connected) {
			abandon(&session);
			session.received_length = 0;
		}
	}
}

int main(void)
{
	setenv("PATH", "/usr/sbin:/usr/bin", 1); // where commands are looked for
	glob_t ports;
	if (glob("/dev/vport*", 0, NULL, &ports) != 0) {
		dprintf(STDERR_FILENO, "agent: there is no virtio serial port\n");
		return 1;
	}
	for (size_t i = 0; i < ports.gl_pathc; i++) {
		pid_t child = fork();
		if (child == 0)
			serve(ports.gl_pathv[i]);
		if (child < 0)
			complain("fork");
	}
	for (;;) {
		if (wait(NULL) < 0 && errno == ECHILD)
			return 1;
	}
}
