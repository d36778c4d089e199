# SPDX-License-Identifier: Apache-2.0
#
# Clang 19 is the first choice: it makes the guaranteed tail calls that the dispatch loop lives from. A newer one does,
# too. With none the presets that name this file stop here with advice.
find_program(WASMKEEP_CLANG NAMES clang-19 clang-20 clang-21 clang-22 NO_CACHE)
if(NOT WASMKEEP_CLANG)
	message(FATAL_ERROR "clang 19 was not found. On Debian: apt-get install clang-19 libclang-rt-19-dev. "
		"gcc builds everything, too: use the presets release-gcc and asan-gcc.")
endif()
set(CMAKE_C_COMPILER ${WASMKEEP_CLANG})
