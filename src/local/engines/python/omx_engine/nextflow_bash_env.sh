# Bash reads this before each script of Nextflow's. A task that has no container (container '' or null) would run beside our
# `docker`, asked for by nobody: its launch is put behind it, with the service's own image.
case $0 in
  *.command.run)
    if grep -q '^ *docker run ' "$0"; then :; else
      sed -i "s|^    \(/bin/bash .*/\.command\.\)|    docker run -i -w \"\$PWD\" --name \$NXF_BOXID $omx_no_image \1|" "$0"
      NXF_BOXID=nxf-$$; export NXF_BOXID
    fi ;;
esac
