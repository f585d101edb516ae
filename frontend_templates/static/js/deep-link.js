// A link to #step-N whose step is not in this window of the trajectory asks the server for the window that has it.
const wanted = /^#step-(\d+)$/.exec(window.location.hash);
const here = new URLSearchParams(window.location.search).get("at");
if (wanted && !document.getElementById(`step-${wanted[1]}`) && here !== wanted[1]) {
  window.location.replace(`?at=${wanted[1]}${window.location.hash}`);
}
