// What the job's container of a probe runs, in the place of boot: any POSIX shell, any uid.

/** Waits for the agent's FIFO and says into it what can be seen from here. */
export const speak = `
tries=0
while [ ! -p "$BURST_CONTROL/out" ] && [ "$tries" -lt 240 ]; do tries=$((tries + 1)); sleep 0.5; done
{
  echo "uid=$(id -u)"
  echo "hosts=$(grep -c proof-name /etc/hosts)"
  echo 1000 >/proc/self/oom_score_adj && echo "oom=$(cat /proc/self/oom_score_adj)"
  echo "credentials=$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI$AWS_ACCESS_KEY_ID"
  echo "environment=$PROOF_VALUE"
  echo done=1
} >"$BURST_CONTROL/out"
sleep 10
`;

/** Is there for a while. */
export const appear = "sleep 15";

/** Holds more and more memory, as the container's first process. */
export const allocate = "sleep 5; exec dd if=/dev/zero of=/dev/null bs=512M count=4";
