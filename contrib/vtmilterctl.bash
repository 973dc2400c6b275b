# SPDX-License-Identifier: BSD-2-Clause
# vtmilterctl.bash - completion of vtmilterctl's commands and options.
#
# Copy it to /usr/share/bash-completion/completions/vtmilterctl.

# The command on the line so far, "" if none.
_vtmilterctl_command()
{
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-f|--config|--tag|--since|--until|--max|--from) i=$((i + 1)) ;;
		-*) ;;
		*)
			printf '%s' "${COMP_WORDS[i]}"
			return
			;;
		esac
	done
}

_vtmilterctl()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words command
	local common='-f --config --json --help --version'
	COMPREPLY=()
	command=$(_vtmilterctl_command)
	case $before in
	-f|--config)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--tag)
		words='VT_Bad VT_Hash_not_found VT_URL_not_found VT_Bypassed VT_Pending VT_Ignored VT_Scanned'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
		;;
	--since|--until|--max|--from)
		return
		;;
	esac
	case $command in
	'') words="extract scan status quota list show cache ignore rescan store plan learn doctor reload submit" ;;
	cache) words='show forget' ;;
	ignore) words='add remove list' ;;
	store) words='copy' ;;
	list) words='--tag --since --until --max' ;;
	scan) words='--headers --from --now' ;;
	submit) words='--public' ;;
	extract) words='--resources' ;;
	*) words= ;;
	esac
	case $word in
	-*) words="$words $common" ;;
	*)
		case $command in
		extract|scan|plan|learn|submit)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -F _vtmilterctl vtmilterctl
