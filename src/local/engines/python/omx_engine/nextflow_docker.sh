# The `docker` that Nextflow finds: `run` asks the engine's process for leave, does what it answers and reports; `stop`
# and `kill` are passed on; the rest has nothing to do. A shell, since it is started anew for each task.
case $1 in
  run) ;;
  stop | kill) for omx_name; do :; done; echo "stop $omx_name" > "$omx_tasks/ask"; exit 0 ;;
  *) exit 0 ;;
esac
shift
omx_task=$omx_tasks/$$
mkdir "$omx_task" && mkfifo "$omx_task/answer" && printf '%s\0' "$PWD" "$@" > "$omx_task/request" || exit 125
exec 4<> "$omx_task/answer"
trap 'exit 143' TERM INT
echo "run $$" > "$omx_tasks/ask"
read -r omx_word omx_code <&4
if [ "$omx_word" = start ]; then
  # The container engine of this machine has our name: the command must not find ourselves.
  case :$PATH: in
    *:"$omx_bin":*) omx_path=:$PATH:
      PATH=${omx_path%%":$omx_bin:"*}:${omx_path#*":$omx_bin:"} PATH=${PATH#:} PATH=${PATH%:} ;;
  esac
  # A task that is asked to end ends by itself, and is reported then.
  trap : TERM INT
  ( . "$omx_task/command" ) < /dev/null 4>&-
  omx_code=$?
  trap 'exit 143' TERM INT
  echo "end $$ $omx_code" > "$omx_tasks/ask"
  read -r omx_word omx_code <&4
fi
exit "${omx_code:-1}"
