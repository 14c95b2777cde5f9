import { expect, test } from "vitest";
import { markdownBlocks } from "./markdown-blocks.js";

const DOCUMENT = `# A

\`\`\`sh
one
\`\`\`

## B

Not this \`a.ts\`.

In \`b.txt\`, or in \`c.mts\`:

\`\`\`ts
two

three
\`\`\`

\`\`\`
four
\`\`\`

## C

\`\`\`sh
five
\`\`\`
`;

test("the blocks of a document come in their order, with the file that the paragraph before them names", () => {
  expect(markdownBlocks(DOCUMENT).map(({ text }) => text)).toEqual([
    "one\n",
    "two\n\nthree\n",
    "four\n",
    "five\n",
  ]);
  expect(markdownBlocks(DOCUMENT, "B")).toEqual([
    { language: "ts", text: "two\n\nthree\n", file: "c.mts" },
    { language: "", text: "four\n", file: undefined },
  ]);
});

test("a section that is not there is an error", () => {
  expect(() => markdownBlocks(DOCUMENT, "D")).toThrow("no section D");
});
