// Cuts a text into prose, code and links. What comes out is shown with textContent: nothing in a
// text is ever markup.

// [{kind: "prose" | "code" | "inline" | "link", text, language?}]. All texts together, with the
// fences' own lines, are the whole text. A fence that is not closed lasts to the end: so it looks
// right while an answer still comes. What follows a fence on its line names the language; what is
// too long for that was meant to be read.
export function textParts(text) {
  const parts = [];
  const lines = text.split("\n");
  let prose = [];
  const endProse = () => {
    const joined = trimLines(prose).join("\n");
    if (joined !== "") proseParts(joined, parts);
    prose = [];
  };
  for (let at = 0; at < lines.length; ++at) {
    const open = /^ {0,3}(`{3,}|~{3,})([^`]{0,60})$/.exec(lines[at]);
    if (!open) {
      prose.push(lines[at]);
      continue;
    }
    endProse();
    const code = [];
    for (++at; at < lines.length && !closes(lines[at], open[1]); ++at) code.push(lines[at]);
    parts.push({ kind: "code", text: code.join("\n"), language: open[2].trim() });
  }
  endProse();
  return parts;
}

function closes(line, fence) {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence[0].repeat(trimmed.length);
}

// Empty lines at both ends.
function trimLines(lines) {
  let begin = 0;
  let end = lines.length;
  while (begin < end && lines[begin].trim() === "") ++begin;
  while (end > begin && lines[end - 1].trim() === "") --end;
  return lines.slice(begin, end);
}

const INLINE = /`([^`\n]+)`|https?:\/\/[^\s<>"'`]+/g;

function proseParts(text, parts) {
  let at = 0;
  const proseUpTo = (end) => {
    if (end > at) parts.push({ kind: "prose", text: text.slice(at, end) });
  };
  for (const match of text.matchAll(INLINE)) {
    if (match[1] !== undefined) {
      proseUpTo(match.index);
      parts.push({ kind: "inline", text: match[1] });
      at = match.index + match[0].length;
      continue;
    }
    const link = withoutEnd(match[0]);
    if (!isAddress(link)) continue;
    proseUpTo(match.index);
    parts.push({ kind: "link", text: link });
    at = match.index + link.length;
  }
  proseUpTo(text.length);
}

// Punctuation that belongs to the sentence, and a bracket that was opened before the link.
function withoutEnd(link) {
  for (;;) {
    const last = link.at(-1);
    if (/[.,;:!?…»]/.test(last)) link = link.slice(0, -1);
    else if (last === ")" && !link.includes("(")) link = link.slice(0, -1);
    else return link;
  }
}

function isAddress(link) {
  try {
    const url = new URL(link);
    return (url.protocol === "https:" || url.protocol === "http:") && url.hostname !== "";
  } catch {
    return false;
  }
}
