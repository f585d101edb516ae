// Where the tabs are wider than the window, the one that is open is in sight.
const here = document.querySelector(".tabs [aria-current]");
const tabs = here?.closest(".tabs");
if (tabs) tabs.scrollLeft = here.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
