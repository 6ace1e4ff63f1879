# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# Completion of the command dataspace in bash.

# PID/FD of all dataspaces that the user may see.
_dataspace_targets()
{
	grep -ls '^dataspace-id:' /proc/[0-9]*/fdinfo/* |
		sed 's|^/proc/\([0-9]*\)/fdinfo/|\1/|'
}

_dataspace()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	local commands="alias alloc get hexdump info list name publish recv revoke
		run seal send store top"
	local options=

	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
		return
	fi
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-r | --rights)
		mapfile -t COMPREPLY < <(compgen -W "ro rw read" -- "$cur")
		return
		;;
	-u | --user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	alias) options="--offset --length --rights --clip" ;;
	alloc) options="--rights --scattered --name" ;;
	get) options="--rights --wait" ;;
	hexdump) options="--offset --length" ;;
	list) options="--json" ;;
	publish) options="--all --input --pay --rights --scattered --user --wait" ;;
	revoke) options="--self" ;;
	run) options="--fd --preload" ;;
	seal) options="--now" ;;
	store) options="--name" ;;
	top) options="--delay --times" ;;
	esac
	case ${COMP_WORDS[1]}/$cur in
	*/-*)
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		;;
	alloc/* | get/* | list/* | publish/* | top/*) ;;
	recv/* | send/*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$(_dataspace_targets)" -- "$cur")
		;;
	esac
}

_dataspaced()
{
	local cur=${COMP_WORDS[COMP_CWORD]}

	mapfile -t COMPREPLY < <(compgen \
		-W "--bytes --help --number --socket --total" -- "$cur")
}

complete -o default -F _dataspace dataspace
complete -o default -F _dataspaced dataspaced
