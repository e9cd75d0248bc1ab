// The field on the page of networks: hides what lacks a word: rows, then families and topics.
document.addEventListener("DOMContentLoaded", () => {
  const field = document.getElementById("network-filter");
  if (!field) return;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (text) => words.every((word) => text.toLowerCase().includes(word));
    for (const family of document.querySelectorAll(".network-family")) {
      const rows = [...family.querySelectorAll("tbody tr")];
      const around = family.cloneNode(true);
      around.querySelectorAll("tbody").forEach((body) => body.remove());
      const all = has(around.textContent);
      for (const row of rows) row.hidden = !all && !has(row.textContent);
      family.hidden = !all && rows.every((row) => row.hidden);
    }
    for (const topic of document.querySelectorAll(".network-topic"))
      topic.hidden = !topic.querySelector(".network-family:not([hidden])");
  });
});
