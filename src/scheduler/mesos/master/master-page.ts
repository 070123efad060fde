import { staticPages } from "../../http/static-pages.ts";
export const masterPages = staticPages([]);
