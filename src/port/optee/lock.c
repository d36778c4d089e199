/* SPDX-License-Identifier: Apache-2.0
 * A Trusted Application's instance has one thread: nobody else can hold a lock. */
#include "port/port.h"

void wk_port_lock(struct wk_port_lock *lock)
{
	(void)lock;
}

void wk_port_unlock(struct wk_port_lock *lock)
{
	(void)lock;
}
