/* SPDX-License-Identifier: Apache-2.0
 * The secure environment that a command runs in: --tee and the figures that may be changed for a what-if. */
#ifndef WK_CLI_TEE_H
#define WK_CLI_TEE_H

#include <wasmkeep/memory.h>

struct wk_tee {
	const char *name;              /* of the profile or its file; NULL: none */
	uint64_t data_size, stack_size, ram; /* --ta-data-size, --ta-stack-size, --tee-ram; 0: as the profile says */
	struct wk_profile profile;     /* once opened; without holes: no limits */
	struct wk_provider *provider;  /* NULL: this machine's, or the TEE's */
	bool optee;                    /* a real TEE; `name`: of the profile with its figures, or NULL */
};

enum wk_tee_option { WK_TEE_KIND, WK_TEE_DATA_SIZE, WK_TEE_STACK_SIZE, WK_TEE_RAM };
/* Takes the value of an option; false after a message. `plain`: "NAME" is taken for "sim:NAME". */
bool wk_tee_take(struct wk_tee *tee, enum wk_tee_option option, const char *value, bool plain);

/* Reads the profile, applies the changes, and with `simulate` makes the provider. WK_EXIT_SUCCESS, or the exit status
 * after a message. */
int wk_tee_open(struct wk_tee *tee, bool simulate);
void wk_tee_close(struct wk_tee *tee);
/* What the TEE has for its Trusted Application, by the profile; 0: not known. */
uint64_t wk_tee_ram(const struct wk_tee *tee);
/* For reports: "none", "optee", or a profile's name. */
const char *wk_tee_name(const struct wk_tee *tee);

/* The options' help, for the tables of those that have them. */
#define WK_TEE_HELP_KIND "where it runs: none, this machine without more (the default);\n" \
	"optee, the Trusted Application in this machine's TEE, or\n" \
	"optee:PROFILE, if its figures are known; auto, optee where\n" \
	"there is one; sim:PROFILE, with the memory of a TEE as PROFILE\n" \
	"describes it: optee-qemu-armv8a, linux, or a file"
#define WK_TEE_HELP_DATA "what if the Trusted Application had this TA_DATA_SIZE?"
#define WK_TEE_HELP_STACK "what if it had this TA_STACK_SIZE?"
#define WK_TEE_HELP_RAM "what if the TEE had so much RAM for it?"

#endif
