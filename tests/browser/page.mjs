// What every browser script shares: a headless browser with one page, closed at the end whatever happens.

import { chromium } from "playwright-core";

/**
 * Opens a page of the system's Chromium and gives it to `work`. An error of the page itself is an error of the script.
 * CHROMIUM is the browser's file; PATIENCE_MS bounds each single step.
 */
export async function withPage(work) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Chromium's sandbox does not work for root, and the pages are our own.
    args: process.getuid() === 0 ? ["--no-sandbox"] : [],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(Number(process.env.PATIENCE_MS ?? 30_000));
    const errors = [];
    page.on("pageerror", (error) => errors.push(error));
    page.on("console", (message) => console.error(`page ${message.type()}: ${message.text()}`));
    await work(page);
    if (errors.length > 0) throw errors[0];
  } finally {
    await browser.close();
  }
}
