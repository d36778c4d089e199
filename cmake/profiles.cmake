# SPDX-License-Identifier: Apache-2.0
#
# The profiles of profiles/ become texts in the library: a header is made of them, plan/profiles.h, in the build's folder.

function(wasmkeep_profiles header)
	file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/profiles/*.profile)
	set(rows "")
	foreach(file IN LISTS files)
		set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
		file(READ ${file} text)
		get_filename_component(name ${file} NAME_WLE)
		string(REPLACE "\\" "\\\\" text "${text}")
		string(REPLACE "\"" "\\\"" text "${text}")
		string(REPLACE "\n" "\\n\"\n\t\t\"" text "${text}")
		string(APPEND rows "\t{ \"${name}\",\n\t\t\"${text}\" },\n")
	endforeach()
	set(content "/* Made by cmake/profiles.cmake from the files in profiles/. */\nstatic const struct { const char *name, *text; } \
wk_profiles[] = {\n${rows}};\n")
	file(CONFIGURE OUTPUT ${header} CONTENT "@content@" @ONLY)
endfunction()
