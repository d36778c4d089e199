/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client and the Trusted Application (TA) say to each other: commands with GlobalPlatform parameters. The TA has
 * one session for each instance, and a keep in each session. src/remote/session.h says in which order commands make sense.
 *
 * Results: TEE_SUCCESS with a report where one is named; the report says how the module fared. Otherwise nothing has
 * happened: TEE_ERROR_BAD_PARAMETERS (types, sizes), TEE_ERROR_BAD_STATE (not in this order, not with these contents),
 * TEE_ERROR_SHORT_BUFFER, TEE_ERROR_NOT_SUPPORTED (no such command).
 */
#ifndef WK_TA_PROTOCOL_H
#define WK_TA_PROTOCOL_H

#include <stdint.h>

#define WK_TA_UUID { 0xe06d65c5, 0x065d, 0x4609, { 0xb1, 0x49, 0x1f, 0xb3, 0xcd, 0x9f, 0x83, 0x7b } }
#define WK_TA_UUID_TEXT "e06d65c5-065d-4609-b149-1fb3cd9f837b"

/* Changes whenever something here, or in the formats of src/remote/, does. */
#define WK_TA_PROTOCOL 4u

enum wk_ta_command {
	WK_TA_INFO,    /* value out: protocol, bytes of RAM that the TA takes;  memref out: version, a text */
	WK_TA_BEGIN,   /* memref in: struct wk_ta_begin;  memref out: report */
	WK_TA_DATA,    /* value in: offset, low and high half;  memref in: bytes of the module */
	WK_TA_END,     /* memref out: report */
	WK_TA_START,   /* value out: enum wk_session_event;  memref inout: window;  memref in: task */
	WK_TA_RESUME,  /* value out: enum wk_session_event;  memref inout: window */
	WK_TA_IMAGE,   /* memref in: SHA-256 of the module;  memref out: report. Before BEGIN, and once: loads the module's
	                * compiled code, which must be installed */
	WK_TA_PROBE,   /* memref inout: struct wk_ta_probe, with `step` and `piece` given */
};

struct wk_ta_begin {
	uint64_t size;              /* 0: the module that is inside of the image */
	uint64_t memory_limit;      /* 0: none */
	uint64_t ram;               /* what the TEE has for this TA in all, if it is known; 0: the TA finds out */
	uint8_t hash[32];           /* SHA-256 of the module */
};

/* What is measured before there is a keep: a step with each command, which fills in its own figures and gives back what it
 * took. Each figure in bytes unless it says otherwise. */
#define WK_TA_HOLES 16u
#define WK_TA_PIECES 6u
enum wk_ta_probe_step {
	WK_TA_PROBE_SIZES,               /* data_size to malloc */
	WK_TA_PROBE_HOLES,               /* below to holes */
	WK_TA_PROBE_TABLES,              /* tables */
	WK_TA_PROBE_PIECES,              /* of piece[0]; the next step is that of piece[1], and so on */
	WK_TA_PROBE_STEPS = WK_TA_PROBE_PIECES + WK_TA_PIECES
};
struct wk_ta_probe {
	uint64_t step;
	uint64_t data_size, stack_size;  /* TA_DATA_SIZE, TA_STACK_SIZE */
	uint64_t loader, code, data;     /* what the loader takes; the TA's segments, the second one with TA_DATA_SIZE */
	uint64_t guest_stack;            /* mapped for guests' calls */
	uint64_t malloc;                 /* the largest block of TEE_Malloc */
	uint64_t below;                  /* addresses of the TA below those that were mapped here */
	uint64_t hole_count;             /* number: of the largest pieces in the order in which they can be had, */
	uint64_t holes[WK_TA_HOLES];     /* each */
	uint64_t tables;                 /* number: of page tables that a TA can have, its own included */
	uint64_t piece[WK_TA_PIECES];    /* sizes, given; 0: none */
	uint64_t count[WK_TA_PIECES];    /* number: of pieces of this size that can be had */
	uint64_t full[WK_TA_PIECES];     /* 1: then the heap of the TEE's core had no room left */
};

#endif
