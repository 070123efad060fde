/** to_datetime and strftime. */
import { makeDateTime, parseDateTime } from "../date-time.ts";
import { asText, type Filter, flagOf, numberOf, parameters, textOf } from "../runtime.ts";

export const timeFilters: Readonly<Record<string, Filter>> = {
  to_datetime: (input, call) => {
    const [pattern] = parameters(call, ["format"]);
    return parseDateTime(asText(input), textOf(pattern, "%Y-%m-%d %H:%M:%S"));
  },
  /** The input is the format: `"%Y" | strftime(seconds)`. */
  strftime: (input, call) => {
    const [second, utc] = parameters(call, ["second", "utc"]);
    const at = second === undefined || second === null ? call.runtime.now() : numberOf(second, 0) * 1000;
    return makeDateTime(at, flagOf(utc, false)).format(asText(input));
  },
};
