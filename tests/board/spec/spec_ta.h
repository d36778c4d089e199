/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client (client.c) asks of the Trusted Application (entry.c).
 */
#ifndef SPEC_TA_H
#define SPEC_TA_H

#define SPEC_TA_UUID { 0x5a1f0c3e, 0x7d42, 0x4b8e, { 0x9c, 0x61, 0x2f, 0x8e, 0x40, 0xd7, 0xb3, 0x5a } }

/* Serves a request (tests/spec/spec_wire.h): memref in: request; memref out: answer, SPEC_REPLY_MAX bytes; memref in: 32
 * bits that stop the guest once they are not 0. */
#define SPEC_TA_SERVE 1

#endif
