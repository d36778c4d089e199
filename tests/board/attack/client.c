/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool cannot do, for the tests in the TEE, with the client library:
 *
 *	client sessions COUNT COMMAND   opens so many sessions, and runs a command while they are open
 *	client changed MODULE           sends a module of more than one piece, and changes it meanwhile
 *	client twice MODULE             loads a module twice in one session, and runs it twice each time
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmkeep/client.h>

static struct wk_report report;

static uint8_t *read_module(const char *name, size_t *size)
{
	uint8_t *bytes = malloc((size_t)4 << 20);
	FILE *file = fopen(name, "re");

	*size = bytes && file ? fread(bytes, 1, (size_t)4 << 20, file) : 0;
	if (file)
		fclose(file);
	if (*size == 0) {
		fprintf(stderr, "client: cannot read %s\n", name);
		exit(2);
	}
	return bytes;
}

/* NULL: the report says why. */
static struct wk_client *open_client(void)
{
	struct wk_client *client = NULL;

	wk_report_clear(&report);
	return wk_client_open(NULL, &report, &client) == WK_OK ? client : NULL;
}

static int open_sessions(int count, const char *command)
{
	struct wk_client **clients = calloc((size_t)count, sizeof *clients);
	int opened = 0, refused = 0;

	for (int i = 0; clients && i < count; i++) {
		clients[i] = open_client();
		opened += clients[i] != NULL;
		refused += !clients[i] && report.status == WK_NO_MEMORY;
		if (!clients[i] && report.status != WK_NO_MEMORY)
			printf("session %d: %s\n", i, report.text);
	}
	printf("%d opened, %d refused for want of memory, %d otherwise\n", opened, refused, count - opened - refused);
	fflush(stdout);
	if (system(command) == -1)
		perror("client");
	for (int i = 0; clients && i < count; i++)
		wk_client_close(clients[i]);
	free(clients);
	return 0;
}

static void change(void *context, size_t sent)
{
	(void)sent;
	*(uint8_t *)context += 1;
}

static int send_changed(const char *name)
{
	struct wk_client *client = open_client();
	size_t size;
	uint8_t *bytes = read_module(name, &size);
	enum wk_status status = client ? wk_client_load(client, bytes, size, change, bytes + size - 1, &report) : WK_OK;

	puts(status == WK_OK ? "accepted" : report.text);
	wk_client_close(client);
	free(bytes);
	return status == WK_OK;
}

static int run_twice(const char *name)
{
	static struct wk_outcome outcome;
	struct wk_client *client = open_client();
	const char *const words[] = { "module" };
	struct wk_task task = { .wasi = { .arguments = words, .argument_count = 1 } };
	size_t size;
	uint8_t *bytes = read_module(name, &size);

	for (int i = 0; client && i < 4; i++) {
		enum wk_status status = i % 2 ? WK_OK : wk_client_load(client, bytes, size, NULL, NULL, &report);

		if (status == WK_OK)
			status = wk_client_run(client, &task, &outcome);
		printf("run %d: %s\n", i, status != WK_OK ? report.text : outcome.report.status != WK_OK ? outcome.report.text :
			"good");
		fflush(stdout);
	}
	wk_client_close(client);
	free(bytes);
	return 0;
}

int main(int count, char **words)
{
	if (count == 4 && strcmp(words[1], "sessions") == 0)
		return open_sessions(atoi(words[2]), words[3]);
	if (count == 3 && strcmp(words[1], "changed") == 0)
		return send_changed(words[2]);
	if (count == 3 && strcmp(words[1], "twice") == 0)
		return run_twice(words[2]);
	fprintf(stderr, "client: see the head of client.c\n");
	return 2;
}
