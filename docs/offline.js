// A page that is opened as a file may not start the worker that searches: no search box then.
if (location.protocol === "file:") {
  document.querySelectorAll('[role="search"]').forEach((box) => box.remove());
  window.Worker = function () {
    this.postMessage = function () {};
  };
}
