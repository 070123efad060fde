import { staticPages } from "../../http/static-pages.ts";
export const agentPages = staticPages([]);
