/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of the port inside the fault port. The sources of the wrapped port are compiled once more with this header in
 * front (-include), so that their functions get the inner names and the fault port can have the outer ones.
 */
#ifndef WK_PORT_FAULT_INNER_H
#define WK_PORT_FAULT_INNER_H

#define wk_port_heap_alloc wk_inner_heap_alloc
#define wk_port_heap_free wk_inner_heap_free
#define wk_port_pages_reserve wk_inner_pages_reserve
#define wk_port_pages_commit wk_inner_pages_commit
#define wk_port_pages_release wk_inner_pages_release

#endif
