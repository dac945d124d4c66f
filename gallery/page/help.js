// help.js shows which keys there are.

/** Opens the help, until Escape, a click beside it, or its button. */
export function showHelp() {
  const template = document.getElementById("help");
  const dialog = template.content.querySelector("dialog").cloneNode(true);
  dialog.querySelector("button").onclick = () => dialog.close();
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}
