/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/client.h: a keep in a TEE, from the normal world. For programs on Linux with OP-TEE; the library needs libteec.
 *
 *	wk_client_open(NULL, &report, &client)
 *	wk_client_load(client, bytes, size, 0, &report)
 *	wk_client_run(client, &task, &outcome)
 *	wk_client_close(client)
 *
 * One session is one Trusted Application (TA) instance, with memory of its own. While a guest runs, wk_client_run serves
 * what it asks of the normal world: the streams, folders and sockets that the task names, and nothing else. A client is
 * used by one thread at a time, but for wk_client_interrupt.
 */
#ifndef WASMKEEP_CLIENT_H
#define WASMKEEP_CLIENT_H

#include <wasmkeep/memory.h>
#include <wasmkeep/program.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wk_client;

/* Zero-initialised it is a valid configuration. */
struct wk_client_config {
	uint64_t memory_limit;    /* of the keep; 0: what the TEE has */
	uint64_t ram;             /* what the TEE has for the TA in all (a profile's figure); 0: the TA asks OP-TEE for what is
	                           * free now; where that keeps no statistics it takes all for a moment, and gives it back */
	const uint8_t *image;     /* SHA-256 of a module whose compiled code is installed and is to be used; NULL: none is */
};

/* Installs compiled code for OP-TEE (wasmkeep compile --target aarch64-optee): the file goes where tee-supplicant finds it,
 * in `folder`, NULL: /lib/optee_armtz. `file` NULL: it must be there already. `module` is what it was compiled from; hash
 * becomes its SHA-256, for wk_client_config. WK_NOT_FOUND: there is no such file; WK_MALFORMED: it is none, cut off or
 * changed; WK_UNSUPPORTED: it is another module's, or for another target or version; WK_LIMIT: too large; WK_IO: it cannot
 * be installed. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_client_install(const char *file, const void *module, size_t size,
	const char *folder, uint8_t hash[32], struct wk_report *report);

/* The same where there is nothing but the file: it has the module inside, without the bodies of functions that are compiled.
 * On success the caller frees *module, of *size bytes. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_client_install_image(const char *file, const char *folder, uint8_t hash[32],
	void **module, size_t *size, struct wk_report *report);

/* Opens a session with the TA. WK_NOT_FOUND: there is no TEE here, no TA in it, or it is of another version; WK_IO:
 * the TEE refuses; WK_NO_MEMORY. With an image also WK_UNSUPPORTED or WK_MALFORMED: the TEE does not load it, or it is of
 * another version; without one the session may open then. The report says what to do. On success the caller owns *client. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_client_open(const struct wk_client_config *config, struct wk_report *report,
	struct wk_client **client);
/* Ends the session and everything in the keep. NULL is allowed. */
WK_PUBLIC void wk_client_close(struct wk_client *client);
/* Is there a TEE that could have the TA? Looks for the device only. */
WK_PUBLIC bool wk_client_there(void);
/* The TA's version, a text that lives as long as the client; bytes of the TEE's RAM that the TA takes. */
WK_PUBLIC const char *wk_client_version(const struct wk_client *client);
WK_PUBLIC uint64_t wk_client_fixed(const struct wk_client *client);

/* Sends a module, which the TA copies, hashes, decodes and validates. `progress` is called with bytes sent; may be NULL.
 * `bytes` NULL: nothing is sent, and it takes the one that is inside of the image of the session, without the bodies of
 * functions that are compiled. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_client_load(struct wk_client *client, const void *bytes, size_t size,
	void (*progress)(void *context, size_t sent), void *context, struct wk_report *report);

/* What to run: see program.h for the configurations. */
struct wk_task {
	struct wk_program_config program;  /* .wasi is not looked at, `wasi` is */
	struct wk_wasi_config wasi;        /* .stdio and .system are not looked at: the streams are 0, 1 and 2. */
	const char *invoke;                /* the function; NULL: _start */
	const struct wk_value *arguments;  /* of it; references are null */
	size_t argument_count;
};

/* Room for a text that says what memory was for, and for values of a call. */
#define WK_SUBJECT_MAX 48u
#define WK_TASK_VALUES 1024u

/* What a keep held at most. */
struct wk_account {
	uint32_t count;
	struct wk_memory_node nodes[WK_MEMORY_NODES]; /* as wk_keep_memory; names lie in `names` */
	char names[WK_MEMORY_NODES][WK_SUBJECT_MAX];
	struct wk_refusal refusal;         /* the last one, its subject in `subject`; */
	uint64_t refusals;                 /* how many there were */
	char subject[WK_SUBJECT_MAX];
	struct wk_usage usage;
};

/* How it ended. Large: about 40 KB. */
struct wk_outcome {
	struct wk_report report;           /* status WK_OK: the call returned, or the guest ended itself: */
	char subject[WK_SUBJECT_MAX];      /* of the report's refusal */
	bool exited;
	uint32_t exit_code;
	uint64_t fuel;                     /* what is left */
	uint32_t result_count;             /* if it returned */
	struct wk_value results[WK_TASK_VALUES]; /* references say whether they are null */
	struct wk_account account;         /* while everything was there */
};

/* Runs it to its end, serving it. WK_OK: *outcome says how it ended. Else the TEE or the session is at fault, and
 * outcome->report says how; the session cannot be used any more. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_client_run(struct wk_client *client, const struct wk_task *task,
	struct wk_outcome *outcome);
/* Makes the guest stop, with WK_TRAP_INTERRUPTED: from any thread or signal handler. If none runs, the next one stops at
 * once. */
WK_PUBLIC void wk_client_interrupt(struct wk_client *client);

/* ---- measuring ---- */

#define WK_PROBE_PIECES 6
#define WK_PROBE_HOLES 16
#define WK_PROBE_STEPS 10
#define WK_PROBE_STACK_EXTRA 2048u /* what OP-TEE adds to TA_STACK_SIZE */

/* What the TEE gave, in bytes unless said otherwise. */
struct wk_probe {
	uint64_t loader, code, data;       /* RAM that the TA's loader takes, its segments: the second one with TA_DATA_SIZE */
	uint64_t data_size, stack_size;    /* TA_DATA_SIZE, TA_STACK_SIZE */
	uint64_t guest_stack;              /* mapped for guests' calls */
	uint64_t malloc;                   /* the largest block of TEE_Malloc */
	uint32_t hole_count;               /* number: of the largest mappings, in the order in which they were had, */
	uint64_t holes[WK_PROBE_HOLES];    /* each: the free pieces of RAM, unless page tables end before */
	uint64_t most;                     /* their sum: in pieces of any size, */
	enum wk_limit_kind most_ended;     /* and which limit ended it: RAM or page tables */
	uint64_t piece[WK_PROBE_PIECES];   /* in pieces of one size, */
	uint64_t count[WK_PROBE_PIECES];   /* number: of them, */
	enum wk_limit_kind ended[WK_PROBE_PIECES]; /* and which limit ended it */
	uint64_t below;                    /* addresses that the TA itself takes, what is between its parts included */
	uint64_t tables;                   /* number: of page tables for the TA, each for 2 MiB of addresses */
	uint64_t mappings;                 /* number: where the books of the TEE's core end; 0: RAM or page tables end first */
	uint64_t shared;                   /* the largest memory that one call can pass */
	uint64_t ram;                      /* for the TA in all, its own parts included */
};

/* Measures, in a session of its own in which nothing was loaded. For a moment all memory of the TEE is taken, so other TAs
 * may be refused some. `progress` is called before each of WK_PROBE_STEPS steps, with the number of those done; may be NULL. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_client_probe(struct wk_client *client,
	void (*progress)(void *context, size_t done), void *context, struct wk_report *report, struct wk_probe *probe);
/* The profile that describes what was measured. `name`: of the profile. */
WK_PUBLIC void wk_probe_profile(const struct wk_probe *probe, const char *name, struct wk_profile *profile);

#ifdef __cplusplus
}
#endif
#endif
