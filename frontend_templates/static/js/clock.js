// How long the page was in sight since one last asked, in ms. A page in a background tab is not being worked on.
export function stopwatch() {
  let spent = 0;
  let since = document.hidden ? null : performance.now();
  const stop = () => {
    if (since !== null) spent += performance.now() - since;
    since = document.hidden ? null : performance.now();
  };
  document.addEventListener("visibilitychange", stop);
  return () => {
    stop();
    const whole = Math.round(spent);
    spent = 0;
    return whole;
  };
}
