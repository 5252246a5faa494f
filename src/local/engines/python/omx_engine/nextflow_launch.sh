# Bash reads this before a script of Nextflow's begins. A process without a container (container '' or null) would be launched
# past our `docker`, on the machine itself and asked for by nobody: its launch is put behind it, with the service's own image.
case ${0##*/}$# in
  .command.run0)
    unset BASH_ENV
    grep -q '^    docker run ' "$0" || sed -i "/^nxf_launch() {/,/^}/ s|^    \(.*/\.command\.\)|    docker run -w \"\$PWD\" -v '$omx_root:$omx_root' $omx_no_image /bin/sh -c 'PATH=\$PATH:$omx_programs \"\$@\"' sh \1|" "$0" ;;
esac
