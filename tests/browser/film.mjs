// Plays the film at FILM, a path of the gateway at GATEWAY, seeks to its middle and plays on. Prints what it saw, as JSON.

import { withPage } from "./page.mjs";

await withPage(async (page) => {
  // A page of the gateway's own, so that the picture may be read.
  await page.goto(`${process.env.GATEWAY}/healthz`);
  const seen = await page.evaluate(async ([url, patience]) => {
    const film = document.createElement("video");
    film.muted = true;
    film.src = url;
    document.body.replaceChildren(film);
    const ended = Date.now() + patience;
    const until = async (what, test) => {
      while (!test()) {
        if (film.error) throw new Error(`${what}: ${film.error.message}`);
        if (Date.now() > ended) throw new Error(`${what}: still at ${film.currentTime} s, state ${film.readyState}`);
        await new Promise((wake) => setTimeout(wake, 50));
      }
    };
    // The picture's average colour.
    const colour = () => {
      const canvas = new OffscreenCanvas(1, 1);
      const context = canvas.getContext("2d");
      context.drawImage(film, 0, 0, 1, 1);
      const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
      return { red, green, blue };
    };
    await film.play();
    await until("the beginning", () => film.currentTime > 1);
    const first = { at: film.currentTime, colour: colour() };
    const middle = film.duration / 2 + 1;
    film.currentTime = middle;
    await until("the middle", () => !film.seeking && film.currentTime > middle + 1);
    const second = { at: film.currentTime, colour: colour() };
    film.pause();
    const frames = film.getVideoPlaybackQuality().totalVideoFrames;
    return { duration: film.duration, middle, first, second, frames };
  }, [process.env.FILM, Number(process.env.PATIENCE_MS)]);
  console.log(JSON.stringify(seen));
});
