# SPDX-License-Identifier: Apache-2.0
#
# The compiler, where LLVM 19 is installed (Debian: llvm-19-dev). It is a library for the program wasmkeep-compile and for
# tests only: LLVM's shared library takes longer to load than most guests run, so the tool is not linked with it.

find_program(LLVM_CONFIG NAMES llvm-config-19)
set(WASMKEEP_COMPILER FALSE)
if(LLVM_CONFIG AND NOT CMAKE_CROSSCOMPILING)
	execute_process(COMMAND ${LLVM_CONFIG} --includedir OUTPUT_VARIABLE llvm_include OUTPUT_STRIP_TRAILING_WHITESPACE)
	execute_process(COMMAND ${LLVM_CONFIG} --libdir OUTPUT_VARIABLE llvm_libdir OUTPUT_STRIP_TRAILING_WHITESPACE)
	find_library(LLVM_LIBRARY NAMES LLVM-19 LLVM HINTS ${llvm_libdir})
	if(LLVM_LIBRARY AND EXISTS ${llvm_include}/llvm-c/Core.h)
		set(WASMKEEP_COMPILER TRUE)
	endif()
endif()

if(WASMKEEP_COMPILER)
	file(GLOB compiler_sources CONFIGURE_DEPENDS src/compiler/*.c)
	add_library(wasmkeep_compiler STATIC ${compiler_sources})
	target_include_directories(wasmkeep_compiler SYSTEM PRIVATE ${llvm_include})
	target_link_libraries(wasmkeep_compiler PRIVATE wasmkeep_flags PUBLIC wasmkeep ${LLVM_LIBRARY})
	# What signs images for OP-TEE, where it is installed (Debian: libssl-dev).
	find_path(CRYPTO_INCLUDE openssl/sha.h)
	find_library(CRYPTO_LIBRARY crypto)
	if(CRYPTO_INCLUDE AND CRYPTO_LIBRARY)
		target_include_directories(wasmkeep_compiler SYSTEM PRIVATE ${CRYPTO_INCLUDE})
		target_compile_definitions(wasmkeep_compiler PRIVATE WK_WITH_OPENSSL)
		target_link_libraries(wasmkeep_compiler PUBLIC ${CRYPTO_LIBRARY})
	endif()
elseif(NOT CMAKE_CROSSCOMPILING)
	message(STATUS "LLVM 19 is not installed (Debian: llvm-19-dev): wasmkeep is built without `compile`.")
endif()

if(WASMKEEP_COMPILER)
	add_executable(wasmkeep_compile cli/compiler/main.c cli/message.c cli/file.c cli/names.c cli/text.c cli/json.c
		cli/progress.c)
	set_target_properties(wasmkeep_compile PROPERTIES OUTPUT_NAME wasmkeep-compile)
	target_include_directories(wasmkeep_compile PRIVATE cli)
	target_link_libraries(wasmkeep_compile PRIVATE wasmkeep_compiler wasmkeep wasmkeep_flags)
	install(TARGETS wasmkeep_compile)
endif()
