// Everything is addressed from this file's own address, so that a path prefix or a proxy in front changes nothing.
const HERE = new URL(".", import.meta.url);

/** A file of assets/. */
export const staticUrl = (path) => new URL(`../${path}`, HERE).href;

/** A route of the server (`v1/page`); assets are served from webui/static/, two folders down. */
export const routeUrl = (path) => new URL(`../../../${path}`, HERE).href;

/** The same for a WebSocket: wss where the page is https. */
export const socketUrl = (path) => routeUrl(path).replace(/^http/, "ws");
