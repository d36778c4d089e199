# SPDX-License-Identifier: Apache-2.0
#
# Reads src/sources.txt, the one list of sources. Its lines are patterns; CONFIGURE_DEPENDS looks at each build whether
# they match new files, so that nobody has to configure by hand after adding one.

# Sets ${rooms} to the sources of the freestanding rooms and ${port} to those of the environment's ports
# and of what is for hosts only.
function(wasmkeep_sources rooms port)
	set(list ${PROJECT_SOURCE_DIR}/src/sources.txt)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
	file(STRINGS ${list} patterns REGEX "^[a-z-]")
	set(rooms_found)
	set(port_found)
	set(hosts FALSE)
	foreach(pattern IN LISTS patterns)
		if(pattern MATCHES "^--")
			set(hosts TRUE)
			continue()
		endif()
		file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${pattern})
		if(hosts)
			list(APPEND port_found ${found})
		else()
			list(APPEND rooms_found ${found})
		endif()
	endforeach()
	wasmkeep_interpreter_flags("${rooms_found}")
	set(${rooms} ${rooms_found} PARENT_SCOPE)
	set(${port} ${port_found} PARENT_SCOPE)
endfunction()
