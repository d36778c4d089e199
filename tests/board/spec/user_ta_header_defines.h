/* SPDX-License-Identifier: Apache-2.0
 * The keep's Trusted Application under another name. */
#ifndef SPEC_USER_TA_HEADER_DEFINES_H
#define SPEC_USER_TA_HEADER_DEFINES_H

#include "../../../ta/user_ta_header_defines.h"
#include "spec_ta.h"

#undef TA_UUID
#undef TA_DESCRIPTION
#define TA_UUID SPEC_TA_UUID
#define TA_DESCRIPTION "Wasmkeep: tests of the specification"

#endif
