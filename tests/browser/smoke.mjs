// Opens the page at URL and prints its title.

import { withPage } from "./page.mjs";

await withPage(async (page) => {
  await page.goto(process.env.URL);
  console.log(await page.title());
});
