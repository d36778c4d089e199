# A Linux machine: no limits but its own.
name = linux
limits = none
