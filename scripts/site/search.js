// In the pages of the documentation: sections that have all the words, those with them in their heading first.
const most = 20;
const field = document.querySelector("#search");
const list = document.querySelector("#found");
let index;

field.addEventListener("input", async () => {
  index ??= fetch("search.json").then((answer) => answer.json());
  const sections = await index;
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  list.replaceChildren(...(words.length === 0 ? [] : found(sections, words).map(entry)));
});

function found(sections, words) {
  const rank = ({ title, heading, text }) => {
    const [name, body] = [`${title} ${heading}`.toLowerCase(), text.toLowerCase()];
    if (!words.every((word) => name.includes(word) || body.includes(word))) return 0;
    return 1 + words.filter((word) => name.includes(word)).length;
  };
  return sections
    .map((section) => ({ section, value: rank(section) }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, most)
    .map(({ section }) => section);
}

function entry({ page, title, anchor, heading, text }) {
  const link = document.createElement("a");
  link.href = `${page}${anchor ? `#${anchor}` : ""}`;
  link.textContent = heading || title;
  const more = document.createElement("small");
  more.textContent = `${title}: ${text.slice(0, 90)}`;
  const item = document.createElement("li");
  item.append(link, more);
  return item;
}
