# SPDX-License-Identifier: Apache-2.0
#
# Compiler flags, each with its reason.

find_package(Threads REQUIRED)

add_library(wasmkeep_flags INTERFACE)
target_include_directories(wasmkeep_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_options(wasmkeep_flags INTERFACE -Wall -Wextra -Wshadow
	# Sections of their own let the linker drop what an embedder does not use.
	-ffunction-sections -fdata-sections)
target_link_options(wasmkeep_flags INTERFACE -Wl,--gc-sections)
if(WASMKEEP_WERROR)
	target_compile_options(wasmkeep_flags INTERFACE -Werror)
endif()

if(WASMKEEP_SANITIZE)
	# A finding ends the program, so that a test fails by it.
	target_compile_options(wasmkeep_flags INTERFACE -fsanitize=${WASMKEEP_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	target_link_options(wasmkeep_flags INTERFACE -fsanitize=${WASMKEEP_SANITIZE})
endif()
if(WASMKEEP_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
		message(FATAL_ERROR "libFuzzer comes with clang: use the preset `fuzz`.")
	endif()
	target_compile_options(wasmkeep_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(WASMKEEP_COVERAGE)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
		message(FATAL_ERROR "Coverage is read with llvm-cov: use the preset `coverage`.")
	endif()
	target_compile_options(wasmkeep_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
	target_link_options(wasmkeep_flags INTERFACE -fprofile-instr-generate)
endif()

# The interpreter computes what the specification (4.3.3) says and nothing else: a multiplication and an addition are
# two roundings (-ffp-contract=off). It never looks at errno or at floating-point exceptions, so that square roots and
# roundings become instructions.
#
# Its dispatch loop needs optimisation in every build: clang makes the tail calls in any case, but without it each
# handler keeps a stack frame; and gcc must not merge the indirect jumps at the ends of the handlers into one (-fno-gcse
# -fno-crossjumping; -Os always merges them, so gcc gets -O2 without padding there, which is smaller too), nor call
# memset, which would destroy named registers. Its sanitizers leave the loop alone: one function of that size takes
# gcc 14 more than ten minutes and 8 GB, and clang instruments the same bodies one by one.
#
# Where size counts, as in a TEE, there are fewer fused instructions: all of the room must agree on that.
set(WASMKEEP_ARITHMETIC_FLAGS -fno-math-errno -fno-trapping-math -ffp-contract=off)
function(wasmkeep_interpreter_flags sources)
	foreach(source IN LISTS sources)
		if(NOT source MATCHES "/src/interp/")
			continue()
		endif()
		set(flags ${WASMKEEP_ARITHMETIC_FLAGS})
		if(CMAKE_BUILD_TYPE STREQUAL "MinSizeRel" OR WASMKEEP_FREESTANDING)
			list(APPEND flags -DWK_FEWER_FUSIONS)
		endif()
		if(source MATCHES "/dispatch[^/]*$")
			if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
				list(APPEND flags -fno-gcse -fno-crossjumping -fno-tree-loop-distribute-patterns)
				if(WASMKEEP_SANITIZE)
					list(APPEND flags -fno-sanitize=all)
				elseif(CMAKE_BUILD_TYPE STREQUAL "MinSizeRel")
					list(APPEND flags -O2 -fno-align-labels -fno-align-jumps -fno-align-loops)
				elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
					list(APPEND flags -O2) # -O3 takes longer and gives the same
				endif()
			elseif(WASMKEEP_SANITIZE MATCHES "address")
				# Else clang 19 gives up on handlers with arrays: they may not realign their stack.
				list(APPEND flags -fsanitize-address-use-after-return=never)
			endif()
			if(CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT CMAKE_C_FLAGS_DEBUG MATCHES "-O[1-3s]")
				list(APPEND flags -O1)
			endif()
		endif()
		set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS ${flags})
	endforeach()
endfunction()

# What a TEE offers: the compiler's own freestanding headers, and a string.h with four functions. -nostdinc hides all
# of libc; atomic operations are inlined, since libgcc's helpers for them look at the operating system.
function(wasmkeep_freestanding_flags target)
	execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include OUTPUT_VARIABLE compiler_headers
		OUTPUT_STRIP_TRAILING_WHITESPACE)
	target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -ffreestanding -nostdinc
		"SHELL:-isystem ${compiler_headers}" "SHELL:-isystem ${PROJECT_SOURCE_DIR}/cmake/freestanding"
		-fno-stack-protector -ffunction-sections -fdata-sections)
	if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
		target_compile_options(${target} PRIVATE -mno-outline-atomics)
	endif()
	target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
endfunction()
